"""Made-up workloads that look like the recorded ones, so that simulations run without any trace.

`fitting` turns traces into `Parameters`, a small set of aggregated numbers that is shipped with the project
(`parameters.json`, with where it came from); `owners`, `arrivals`, `usage` and `nodes` draw from them. Every draw takes
a generator: the same seed gives the same workload.
"""
