"""The scores of every policy, worked out by hand from the source's own arithmetic."""

from collections.abc import Callable

import numpy as np
import pytest

from hydatis.scheduler.plugins import ScorePlugin
from hydatis.scheduler.testing import by_node, cluster_of, node, place, pod, requirements_of
from hydatis.simulations.baselines.best_fit import BestFit
from hydatis.simulations.baselines.dot_product import DotProduct
from hydatis.simulations.baselines.gpu_clustering import GpuClustering
from hydatis.simulations.baselines.gpu_packing import GpuPacking
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI
from hydatis.simulations.gpu_sharing.devices import Fullest, GpuDevices

Node = tuple[int, int, tuple[tuple[int, int], ...]]
"""Cores, devices, and the pods there as (cores, thousandths of GPU)."""


def scores(
    plugin: Callable[[GpuDevices], ScorePlugin], nodes: dict[str, Node], cores: int, milli: int
) -> dict[str, int]:
    builders = [
        node(name).allocatable(cpu=str(cpu), memory="1Ti").allocatable_of({GPU_MILLI: devices * 1000})
        for name, (cpu, devices, _) in nodes.items()
    ]
    cluster = cluster_of(*builders)
    devices = GpuDevices(Fullest())
    for name, (_, _, pods) in nodes.items():
        for number, (cpu, part) in enumerate(pods):
            place(cluster, pod(f"{name}-{number}").request_of({"cpu": str(cpu), GPU_MILLI: part}), name)
            devices.refresh(cluster)
    requirements = requirements_of(cluster, pod("new").request_of({"cpu": str(cores), GPU_MILLI: milli}))
    return by_node(cluster, plugin(devices).score(requirements, cluster, cluster.rows()))


@pytest.mark.parametrize(
    ("nodes", "cores", "milli", "expected"),
    [
        # 1 - ((64 - 4) / 128 + (8 - 1) / 8) / 2 = 0.328
        ({"untouched": (64, 8, ())}, 4, 1000, {"untouched": 32}),
        # 1 - ((64 - 32 - 4) / 128 + (8 - 4.5 - 0.5) / 8) / 2 = 0.703
        ({"half full": (64, 8, ((32, 4000), (0, 500)))}, 4, 500, {"half full": 70}),
        ({"exactly": (4, 1, ())}, 4, 1000, {"exactly": 100}),
        ({"large": (128, 8, ()), "small": (8, 1, ())}, 0, 0, {"large": 0, "small": 90}),
    ],
)
def test_best_fit_prefers_what_is_left_least(
    nodes: dict[str, Node], cores: int, milli: int, expected: dict[str, int]
) -> None:
    assert scores(BestFit, nodes, cores, milli) == expected


@pytest.mark.parametrize(
    ("nodes", "cores", "milli", "expected"),
    [
        # 1 - (1 x 0.5 + 1 x 0.5) / 2 = 0.5
        ({"largest": (128, 8, ())}, 64, 4000, {"largest": 50}),
        # 1 - (0.5 x 0.5 + 0.25 x 0.125) / 2 = 0.859
        ({"small": (64, 2, ())}, 64, 1000, {"small": 85}),
        ({"few GPUs": (64, 1, ()), "many GPUs": (64, 8, ())}, 0, 8000, {"few GPUs": 93, "many GPUs": 50}),
    ],
)
def test_dot_product_prefers_other_directions(
    nodes: dict[str, Node], cores: int, milli: int, expected: dict[str, int]
) -> None:
    assert scores(DotProduct, nodes, cores, milli) == expected


@pytest.mark.parametrize(
    ("milli", "expected"),
    [
        # A quarter for the rank, and within it 25 x used of the largest node's 8000, rounded down.
        (300, {"shared": 75 + 22, "one": 21, "mixed": 50 + 20, "idle": 25 + 18, "two": 21}),
        (1000, {"shared": 22, "one": 75 + 21, "mixed": 50 + 20, "idle": 25 + 18, "two": 21}),
        (2000, {"shared": 22, "one": 21, "mixed": 20, "idle": 25 + 18, "two": 75 + 21}),
        (0, {"shared": 0, "one": 0, "mixed": 0, "idle": 0, "two": 0}),
    ],
)
def test_gpu_clustering_puts_pods_with_as_many_gpus_together(milli: int, expected: dict[str, int]) -> None:
    nodes: dict[str, Node] = {
        "shared": (64, 2, ((1, 500), (1, 700))),
        "one": (64, 2, ((1, 1000),)),
        "mixed": (64, 4, ((1, 1000), (1, 500), (1, 1000))),
        "idle": (64, 2, ()),
        "two": (64, 3, ((1, 2000),)),
    }
    assert scores(GpuClustering, nodes, 1, milli) == expected


@pytest.mark.parametrize(
    ("milli", "expected"),
    [
        # 100 - 70 / 10 on the fuller device; 50 - 1; 33 - devices, or as many as there are when that is more
        (300, {"shared": 93, "taken": 49, "idle": 25, "too full": 0}),
        # what is left of the shared device does not suffice
        (800, {"shared": 49, "taken": 49, "idle": 25, "too full": 0}),
        (1000, {"shared": 49, "taken": 49, "idle": 25, "too full": 0}),
        (2000, {"shared": 48, "taken": 0, "idle": 25, "too full": 0}),
        (0, {"shared": 0, "taken": 0, "idle": 0, "too full": 0}),
    ],
)
def test_gpu_packing_touches_as_little_as_it_can(milli: int, expected: dict[str, int]) -> None:
    nodes: dict[str, Node] = {
        "shared": (64, 3, ((1, 300),)),
        "taken": (64, 2, ((1, 1000),)),
        "idle": (64, 8, ()),
        "too full": (64, 1, ((1, 900),)),
    }
    assert scores(GpuPacking, nodes, 1, milli) == expected


def test_scores_do_not_depend_on_which_rows_are_asked_for() -> None:
    nodes: dict[str, Node] = {f"n{n}": (64, 1 + n % 8, ((n % 5, 100 * (n % 9)),)) for n in range(30)}
    for plugin in (BestFit, DotProduct, GpuClustering, GpuPacking):
        whole = scores(plugin, nodes, 2, 300)
        single = {name: scores(plugin, {name: one}, 2, 300)[name] for name, one in nodes.items()}
        assert whole == single
    assert np.unique(list(whole.values())).size > 3
