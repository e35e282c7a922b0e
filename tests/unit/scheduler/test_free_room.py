"""What is left of each resource says whom a node cannot hold."""

import numpy as np
import pytest

from hydatis.scheduler.free_room import FreeRoom
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.testing import PodBuilder, cluster_of, node, place, pod, requirements_of

_PODS = {
    "nothing": pod(),
    "what is left": pod().requests(cpu="1", memory="4Gi"),
    "a bit more cpu than is left": pod().requests(cpu="1001m"),
    "a bit more memory than is left": pod().requests(memory=str(4 * 2**30 + 1)),
    "cpu here and memory there": pod().requests(cpu="1", memory="10Gi"),
    "none of what no node has": pod().requests(cpu="0", ephemeral_storage="0"),
    "what no node has": pod().request_of({"example.com/gpu": 1}),
}


@pytest.mark.parametrize("builder", _PODS.values(), ids=_PODS.keys())
@pytest.mark.parametrize("nodes", [("n",), ("m",), ("crowded",), ("n", "m"), ("n", "m", "crowded")])
def test_it_is_what_the_plugin_says(builder: PodBuilder, nodes: tuple[str, ...]) -> None:
    cluster = cluster_of(node("n"), node("m").allocatable(cpu="2"), node("crowded").allocatable(pods="1"))
    place(cluster, pod("big").requests(cpu="3", memory="12Gi"), "n")
    place(cluster, pod("wide").requests(cpu="2", memory="1Gi"), "m")
    place(cluster, pod("only"), "crowded")
    requirements = requirements_of(cluster, builder)
    rows = np.array([cluster.row_of(name) for name in nodes], dtype=np.intp)
    passed = NodeResourcesFit().filter(requirements, cluster, rows)
    assert FreeRoom(cluster, rows).holds(requirements) == passed.any()


def test_of_many_nodes_it_says_nothing() -> None:
    cluster = cluster_of(*(node(f"n{number}") for number in range(40)))
    requirements = requirements_of(cluster, pod().requests(cpu="100"))
    assert not FreeRoom(cluster, cluster.rows()[:3]).holds(requirements)
    assert FreeRoom(cluster, cluster.rows()).holds(requirements)
