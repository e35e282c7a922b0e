"""Static packing, the protocol of the FGD paper: pods come one after the other, none leaves, and what no node can run
is dropped; then one looks how much of the cluster's GPUs is allocated.

`workload` makes the order of pods, `running` plays it against the decision core, `scenario` repeats it over policies
and seeds.
"""
