"""Small clusters and the pod that is new to them, for tests of policies that look at measured use.

Called by tests alone.
"""

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import ScorePlugin, for_owner
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, pod, pod_class_of, requirements_of


def ten_cores(*names: str, memory: str = "10Gi") -> Cluster:
    """Make empty nodes of ten cores."""
    return cluster_of(*(node(name).allocatable(cpu="10", memory=memory) for name in names))


def newcomer(memory: str = "1Gi") -> PodBuilder:
    """Make a pod of the StatefulSet db that asks for one core."""
    return pod("new").requests(cpu="1", memory=memory).owned_by("StatefulSet", "db")


def scores_of(plugin: ScorePlugin, cluster: Cluster, builder: PodBuilder) -> dict[str, int]:
    """Score every node for a pod as its owner's pods are scored."""
    bound = for_owner(plugin, pod_class_of(cluster, builder).owner)
    return by_node(cluster, bound.score(requirements_of(cluster, builder), cluster, cluster.rows()))
