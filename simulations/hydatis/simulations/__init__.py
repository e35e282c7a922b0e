"""Seeded clusters and workloads as plain Kubernetes manifests, and the recount that checks what became of them.

The demo and the benchmarks build on it. Apart from sweeps on Dask it does no network I/O. What decides a result reads
no clock and keeps no random state of its own: every generator takes a `numpy.random.Generator`, so the same seed gives
the same cluster and the same pods.
"""
