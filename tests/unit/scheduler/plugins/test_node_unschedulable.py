"""NodeUnschedulable."""

import pytest

from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, pod, requirements_of

_CORDON = "node.kubernetes.io/unschedulable"


def test_a_cordoned_node_takes_no_pod() -> None:
    cluster = cluster_of(node("open"), node("cordoned").unschedulable())
    plain = requirements_of(cluster, pod())
    assert NodeUnschedulable().applies(plain)
    verdicts = by_node(cluster, NodeUnschedulable().filter(plain, cluster, cluster.rows()))
    assert verdicts == {"open": True, "cordoned": False}


@pytest.mark.parametrize(
    ("builder", "asked"),
    [
        (pod().toleration(_CORDON), False),
        (pod().toleration(_CORDON, effect="NoSchedule"), False),
        (pod().toleration(), False),
        (pod().toleration(_CORDON, effect="NoExecute"), True),
        (pod().toleration(_CORDON, "Equal", "yes"), True),
    ],
)
def test_a_pod_that_tolerates_the_cordons_taint_may_go_there(builder: PodBuilder, asked: bool) -> None:
    assert NodeUnschedulable().applies(requirements_of(cluster_of(), builder)) is asked
