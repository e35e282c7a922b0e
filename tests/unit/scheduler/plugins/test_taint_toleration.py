"""TaintToleration."""

import pytest

from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, by_node, cluster_of, node, pod, requirements_of


@pytest.mark.parametrize(
    ("builder", "tainted", "passes"),
    [
        (pod(), node("n"), True),
        (pod(), node("n").taint("gpu", "a100"), False),
        (pod(), node("n").taint("gpu", "a100", "NoExecute"), False),
        (pod(), node("n").taint("gpu", "a100", "PreferNoSchedule"), True),
        (pod().toleration("gpu"), node("n").taint("gpu", "a100"), True),
        (pod().toleration("gpu", "Equal", "a100"), node("n").taint("gpu", "a100"), True),
        (pod().toleration("gpu", "", "a100"), node("n").taint("gpu", "a100"), True),
        (pod().toleration("gpu", "Equal", "h100"), node("n").taint("gpu", "a100"), False),
        (pod().toleration("gpu", effect="NoExecute"), node("n").taint("gpu", "a100"), False),
        (pod().toleration(), node("n").taint("gpu", "a100").taint("x", "", "NoExecute"), True),
        (pod().toleration("gpu"), node("n").taint("gpu").taint("other"), False),
        (pod().toleration("n", "Gt", "1"), node("n").taint("n", "5"), False),
    ],
)
def test_a_pod_fits_where_it_tolerates_every_forbidding_taint(
    builder: PodBuilder, tainted: NodeBuilder, passes: bool
) -> None:
    cluster = cluster_of(node("plain"), tainted)
    verdicts = TaintToleration().filter(requirements_of(cluster, builder), cluster, cluster.rows())
    assert by_node(cluster, verdicts) == {"plain": True, "n": passes}


def test_the_score_counts_the_untolerated_prefer_no_schedule_taints() -> None:
    cluster = cluster_of(
        node("none"),
        node("one").taint("a", effect="PreferNoSchedule"),
        node("two").taint("a", effect="PreferNoSchedule").taint("b", effect="PreferNoSchedule"),
        node("other").taint("a", effect="NoSchedule"),
    )
    scores = TaintToleration().score(requirements_of(cluster, pod().toleration("b")), cluster, cluster.rows())
    assert by_node(cluster, scores) == {"none": 0, "one": 1, "two": 1, "other": 0}


def test_a_toleration_of_another_effect_does_not_help_the_score() -> None:
    cluster = cluster_of(node("n").taint("a", effect="PreferNoSchedule"))
    tolerant = requirements_of(cluster, pod().toleration("a", effect="NoSchedule"))
    assert by_node(cluster, TaintToleration().score(tolerant, cluster, cluster.rows())) == {"n": 1}
