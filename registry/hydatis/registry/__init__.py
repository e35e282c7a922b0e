"""From the registry of models into a cluster, and back: `hydatis model`.

`versions` reads what trainings have registered in MLflow, `fetching` gets the weights, `manifests` makes an MLModel of
them, `cluster` asks the API server, `pushing` and `promoting` are what the commands do. What comes from the registry is
taken for hostile: bounded in size, held against its digest, never unpickled.
"""
