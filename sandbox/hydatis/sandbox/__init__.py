"""A real Kubernetes control plane on this machine's loopback address, for tests, the demo and benchmarks.

`controlplane.ControlPlane` is the way in; `hydatis sandbox` is the same on the command line. Nothing here decides a
placement.
"""
