"""Makes random clusters and pods that reach every plugin on both verdicts; the same seed makes the same ones.

`clusters.py` puts a cluster together from features: a feature is a function that adds one thing to a manifest, with how
often it does. A new plugin is a new file of features and its lines in the tables of `clusters.py`. Objects are such as
the API server stores; where it would refuse one, kube-scheduler's behaviour is undefined.
"""
