import numpy as np
import pytest

from hydatis.simulations.clusters import GPU_RESOURCE, MIXED_SHAPES, NodeShape, mixed_nodes, uniform_nodes


def instance_types(nodes: list[dict]) -> list[str]:  # type: ignore[type-arg]
    return [node["metadata"]["labels"]["node.kubernetes.io/instance-type"] for node in nodes]


def test_the_same_seed_gives_the_same_nodes() -> None:
    assert mixed_nodes(50, np.random.default_rng(7)) == mixed_nodes(50, np.random.default_rng(7))


def test_another_seed_gives_another_order() -> None:
    assert mixed_nodes(50, np.random.default_rng(7)) != mixed_nodes(50, np.random.default_rng(8))


@pytest.mark.parametrize("count", [7, 8, 11, 50, 333])
def test_every_shape_is_there_however_small_the_cluster(count: int) -> None:
    nodes = mixed_nodes(count, np.random.default_rng(1))
    assert len(nodes) == count
    assert len({node["metadata"]["name"] for node in nodes}) == count
    assert set(instance_types(nodes)) == {shape.name for shape in MIXED_SHAPES}


def test_fewer_nodes_than_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 7 nodes"):
        mixed_nodes(6, np.random.default_rng(1))


def test_shares_follow_the_weights() -> None:
    shapes = (NodeShape("a", 1, 1, weight=3), NodeShape("b", 1, 1, weight=1))
    types = instance_types(mixed_nodes(402, np.random.default_rng(1), shapes))
    assert (types.count("a"), types.count("b")) == (301, 101)


def test_nodes_spread_evenly_over_the_zones() -> None:
    zones = [node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in uniform_nodes(30)]
    assert [zones.count(zone) for zone in sorted(set(zones))] == [10, 10, 10]


def test_allocatable_is_below_capacity_and_gpus_are_whole() -> None:
    node = next(n for n in mixed_nodes(7, np.random.default_rng(1)) if GPU_RESOURCE in n["status"]["capacity"])
    assert node["status"]["allocatable"] == {"cpu": "31900m", "memory": "261632Mi", "pods": "110", GPU_RESOURCE: "4"}
    assert node["spec"]["taints"][0]["effect"] == "NoSchedule"
