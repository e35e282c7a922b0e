"""NodeResourcesBalancedAllocation."""

import pytest

from hydatis.scheduler.plugin_args import ResourceSpec
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.testing import PodBuilder, by_node, cluster_of, node, place, pod, requirements_of

_PLUGIN = NodeResourcesBalancedAllocation()


@pytest.mark.parametrize(
    ("used", "wanted", "score"),
    [
        # Balanced before (0 and 0) and after (25 % and 25 %): the middle.
        (None, pod().requests(cpu="1", memory="4Gi"), 75),
        # 50 % cpu and 0 % memory after: balance (1 - 0.25) * 100 = 75, before 100; 50 + (50 - 25) // 2.
        (None, pod().requests(cpu="2"), 62),
        # 50 % and 0 % before, 50 % and 50 % after: 50 + (50 + 25) // 2.
        (pod().requests(cpu="2"), pod().requests(memory="8Gi"), 87),
        # Fractions stop at 1: a node over its allocatable counts as full.
        (pod().requests(cpu="8", memory="16Gi"), pod().requests(cpu="1"), 75),
    ],
)
def test_the_score_rises_when_the_pod_evens_out_cpu_and_memory(
    used: PodBuilder | None, wanted: PodBuilder, score: int
) -> None:
    cluster = cluster_of(node())
    if used:
        place(cluster, used, "node")
    requirements = requirements_of(cluster, wanted)
    assert by_node(cluster, _PLUGIN.score(requirements, cluster, cluster.rows())) == {"node": score}


def test_pods_without_cpu_and_memory_requests_are_not_asked_about() -> None:
    cluster = cluster_of()
    assert not _PLUGIN.applies(requirements_of(cluster, pod().request_of({"nvidia.com/gpu": 1})))
    assert not _PLUGIN.applies(requirements_of(cluster, pod().requests(cpu="0")))
    assert _PLUGIN.applies(requirements_of(cluster, pod().requests(memory="1")))


def test_a_node_that_offers_only_one_of_the_two_is_always_balanced() -> None:
    cluster = cluster_of(node().allocatable(memory="0"))
    requirements = requirements_of(cluster, pod().requests(cpu="2"))
    assert by_node(cluster, _PLUGIN.score(requirements, cluster, cluster.rows())) == {"node": 75}


@pytest.mark.parametrize(
    ("wanted", "score"),
    [
        # With 100 % of the gpu: 0.5, 0.25 and 1, but storage is not offered. Deviation 0.311, balance 68.
        (pod().request_of({"cpu": "2", "memory": "4Gi", "example.com/gpu": 2}), 59),
        # Who requests no gpu and no fpga is balanced without them: 50 % and 25 %, that is 87.
        (pod().request_of({"cpu": "2", "memory": "4Gi"}), 68),
        (pod().request_of({"cpu": "2", "memory": "4Gi", "example.com/gpu": 0, "example.com/fpga": 0}), 68),
    ],
)
def test_more_than_two_resources_are_balanced_by_their_standard_deviation(wanted: PodBuilder, score: int) -> None:
    names = ("cpu", "memory", "example.com/gpu", "example.com/fpga", "ephemeral-storage")
    plugin = NodeResourcesBalancedAllocation([ResourceSpec(name) for name in names])
    cluster = cluster_of(node().allocatable_of({"example.com/gpu": 2}))
    requirements = requirements_of(cluster, wanted)
    assert by_node(cluster, plugin.score(requirements, cluster, cluster.rows())) == {"node": score}


def test_pods_are_asked_about_that_request_any_of_the_resources_named() -> None:
    plugin = NodeResourcesBalancedAllocation([ResourceSpec("example.com/gpu")])
    cluster = cluster_of()
    assert plugin.applies(requirements_of(cluster, pod().request_of({"example.com/gpu": 1})))
    assert not plugin.applies(requirements_of(cluster, pod().requests(cpu="1")))
