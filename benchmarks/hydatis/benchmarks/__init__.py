"""`hydatis bench`: HYDATIS and the real kube-scheduler, measured one after the other on the same machine."""
