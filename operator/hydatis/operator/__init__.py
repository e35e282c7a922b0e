"""The live driver of the decision core: Kubernetes watches in, API calls out, and the `hydatis` command line."""

from hydatis.operator import slim_client

slim_client.install()
