"""A cluster in virtual time: pods arrive, run, use what they use and end; nodes fail, are drained and join; the
decision core of the operator places the pods.

`scenario` says what a cluster is like and what is assumed of it, `workload` which pods come and what they use,
`running` plays both against one policy, `record` is what is left of a run. One seed, one result, byte for byte.
"""
