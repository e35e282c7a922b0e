"""ImageLocality."""

import pytest

from hydatis.scheduler.node_images import normalized_image_name
from hydatis.scheduler.plugins.image_locality import ImageLocality
from hydatis.scheduler.policy import BUILT_IN_POLICY
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scoring import Evaluation
from hydatis.scheduler.testing import by_node, cluster_of, node, pod, pod_class_of, requirements_of

_MIB = 2**20


def test_the_score_grows_with_the_size_held_and_the_share_of_nodes_that_hold_it() -> None:
    cluster = cluster_of(
        node("both").image("web:1", 500 * _MIB).image("tools:latest", 300 * _MIB),
        node("one").image("web:1", 500 * _MIB),
        node("huge").image("huge:1", 9000 * _MIB),
        node("none"),
    )
    wanted = requirements_of(cluster, pod().image("web:1").container(name="b", image="tools"))
    scores = by_node(cluster, ImageLocality().score(wanted, cluster, cluster.rows()))
    # 500 x 2/4 + 300 x 1/4 = 325 MiB of 23 to 2,000; 500 x 2/4 = 250.
    assert scores == {"both": 15, "one": 11, "huge": 0, "none": 0}
    huge = requirements_of(cluster, pod().image("huge:1"))
    assert by_node(cluster, ImageLocality().score(huge, cluster, cluster.rows()))["huge"] == 100


@pytest.mark.parametrize(
    ("name", "normalized"),
    [("web", "web:latest"), ("web:1", "web:1"), ("host:5000/web", "host:5000/web:latest"), ("", ":latest")],
)
def test_an_image_without_a_tag_means_latest(name: str, normalized: str) -> None:
    assert normalized_image_name(name) == normalized


def test_scores_follow_images_that_come_and_go_on_any_node() -> None:
    cluster = cluster_of(node("a").image("web:1", 800 * _MIB), node("b"))
    pod_class = pod_class_of(cluster, pod().image("web:1"))

    def parts(evaluation: Evaluation) -> dict[str, int]:
        evaluation.refresh()
        evaluation.ranking()
        rows = cluster.rows().tolist()
        return {cluster.node_name(row): dict(evaluation.node_score(row).parts)["ImageLocality"] for row in rows}

    def new() -> Evaluation:
        neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
        return Evaluation(pod_class.requirements, neighbours, Profile().under(BUILT_IN_POLICY), cluster)

    kept = new()
    assert parts(kept) == {"a": 38, "b": 0}
    cluster.set_node(node("b").image("web:1", 800 * _MIB).manifest())
    assert parts(kept) == parts(new()) == {"a": 79, "b": 79}
    cluster.set_node(node("c").manifest())
    assert parts(kept) == parts(new()) == {"a": 52, "b": 52, "c": 0}
    cluster.remove_node("a")
    assert parts(kept) == parts(new()) == {"b": 38, "c": 0}
