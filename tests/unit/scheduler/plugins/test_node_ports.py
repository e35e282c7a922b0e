"""NodePorts."""

import pytest

from hydatis.scheduler.plugins.node_ports import NodePorts
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, place, pod, requirements_of


@pytest.mark.parametrize(
    ("running", "wanted", "passes"),
    [
        (pod().host_port(80), pod().host_port(80), False),
        (pod().host_port(80), pod().host_port(81), True),
        (pod().host_port(80, "UDP"), pod().host_port(80, "TCP"), True),
        (pod().host_port(80, address="127.0.0.1"), pod().host_port(80, address="127.0.0.2"), True),
        (pod().host_port(80, address="127.0.0.1"), pod().host_port(80), False),
        (pod().host_port(80), pod().host_port(80, address="127.0.0.1"), False),
        (pod().host_port(80), pod().host_port(81).host_port(80), False),
        (
            pod().init_container(name="s", restartPolicy="Always", ports=[{"hostPort": 80}]),
            pod().host_port(80),
            False,
        ),
        (pod().init_container(name="i", ports=[{"hostPort": 80}]), pod().host_port(80), True),
    ],
)
def test_a_port_is_taken_once_for_each_protocol_and_address(
    running: PodBuilder, wanted: PodBuilder, passes: bool
) -> None:
    cluster = cluster_of(node("busy"), node("free"))
    place(cluster, running, "busy")
    verdicts = NodePorts().filter(requirements_of(cluster, wanted), cluster, cluster.rows())
    assert by_node(cluster, verdicts) == {"busy": passes, "free": True}


def test_a_port_is_free_again_only_when_its_last_holder_left() -> None:
    cluster = cluster_of(node("n"))
    # The API server lets two pods of one node claim the same port, when each names its node itself.
    first, second = pod("first").host_port(80), pod("second").host_port(80)
    place(cluster, first, "n")
    place(cluster, second, "n")
    wanted = requirements_of(cluster, pod().host_port(80))
    cluster.remove(first.uid, "n")
    assert by_node(cluster, NodePorts().filter(wanted, cluster, cluster.rows())) == {"n": False}
    cluster.remove(second.uid, "n")
    assert by_node(cluster, NodePorts().filter(wanted, cluster, cluster.rows())) == {"n": True}


def test_a_pod_without_host_ports_is_not_asked_about() -> None:
    assert not NodePorts().applies(requirements_of(cluster_of(), pod()))


def test_preemption_may_free_a_port() -> None:
    cluster = cluster_of(node("n"))
    place(cluster, pod().host_port(80), "n")
    wanted = requirements_of(cluster, pod().host_port(80))
    assert by_node(cluster, NodePorts().unresolvable(wanted, cluster, cluster.rows())) == {"n": False}
