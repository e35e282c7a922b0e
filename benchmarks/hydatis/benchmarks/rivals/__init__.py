"""Two schedulers on the same nodes, HYDATIS and kube-scheduler or two kube-schedulers: `hydatis bench rivals`."""
