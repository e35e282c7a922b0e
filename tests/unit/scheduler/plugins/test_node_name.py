"""NodeName."""

from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.testing import by_node, cluster_of, node, pod, requirements_of


def test_a_pod_that_names_its_node_fits_only_there() -> None:
    cluster = cluster_of(node("a"), node("b"))
    wanted = requirements_of(cluster, pod().on("b"))
    assert NodeName().applies(wanted)
    assert by_node(cluster, NodeName().filter(wanted, cluster, cluster.rows())) == {"a": False, "b": True}
    assert NodeName().reasons(wanted, cluster, cluster.rows()[:1]) == {
        "node(s) didn't match the requested node name": 1
    }


def test_a_pod_that_names_none_is_not_asked_about() -> None:
    assert not NodeName().applies(requirements_of(cluster_of(), pod()))
