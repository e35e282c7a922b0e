"""The table of devices follows the core's cluster, whatever happens to it."""

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.testing import NodeBuilder, PodBuilder, by_node, cluster_of, node, place, pod, requirements_of
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI, GpuDemand, demand_of
from hydatis.simulations.gpu_sharing.devices import AnyDevice, Fullest, GpuDevices
from hydatis.simulations.gpu_sharing.open_gpu_share import OpenGpuShare


def gpu_node(name: str, devices: int) -> NodeBuilder:
    return node(name).allocatable(cpu="64", memory="256Gi").allocatable_of({GPU_MILLI: devices * 1000})


def gpu_pod(milli: int, name: str = "pod", cpu: str = "1") -> PodBuilder:
    return pod(name).request_of({"cpu": cpu, **({GPU_MILLI: milli} if milli else {})})


def left(devices: GpuDevices, cluster: Cluster) -> dict[str, list[int]]:
    devices.refresh(cluster)
    return {
        name: row[:count]
        for (name, row), count in zip(
            by_node(cluster, devices.left).items(), devices.count[cluster.rows()].tolist(), strict=True
        )
    }


@pytest.mark.parametrize(
    ("milli", "demand"),
    [(0, GpuDemand(0, 0)), (10, GpuDemand(1, 10)), (1000, GpuDemand(1, 1000)), (8000, GpuDemand(8, 1000))],
)
def test_a_request_below_a_whole_device_is_a_part_of_one(milli: int, demand: GpuDemand) -> None:
    cluster = cluster_of(gpu_node("a", 8))
    assert demand_of(requirements_of(cluster, gpu_pod(milli)), cluster) == demand


def test_a_part_goes_to_the_fullest_device_that_suffices_and_whole_ones_to_untouched_devices() -> None:
    cluster = cluster_of(gpu_node("a", 4))
    devices = GpuDevices(Fullest())
    for number, milli in enumerate((300, 500, 600, 400, 2000, 100)):
        place(cluster, gpu_pod(milli, str(number)), "a")
        devices.refresh(cluster)
    # 300 and 500 share the first device, 600 and 400 the second, 2000 takes the others whole, 100 completes the first.
    assert left(devices, cluster) == {"a": [100, 0, 0, 0]}
    assert devices.pods_by_devices[cluster.rows()[0]].tolist() == [5, 0, 1, 0, 0, 0, 0, 0, 0]


def test_a_cluster_that_never_heard_of_gpus_has_none() -> None:
    cluster = cluster_of(node("a").allocatable(cpu="64", memory="256Gi"))
    place(cluster, pod("pod").requests(cpu="1"), "a")
    assert left(GpuDevices(Fullest()), cluster) == {"a": []}


def test_pods_placed_since_the_last_look_are_counted_in_order() -> None:
    cluster = cluster_of(gpu_node("a", 2))
    for number, milli in enumerate((700, 1000, 300)):
        place(cluster, gpu_pod(milli, str(number)), "a")
    assert left(GpuDevices(Fullest()), cluster) == {"a": [0, 0]}


def test_a_pod_that_leaves_gives_its_parts_back() -> None:
    cluster = cluster_of(gpu_node("a", 2), gpu_node("b", 1))
    devices = GpuDevices(Fullest())
    shared, whole = gpu_pod(300, "shared"), gpu_pod(1000, "whole")
    place(cluster, shared, "a")
    place(cluster, whole, "a")
    place(cluster, gpu_pod(0, "none"), "b")
    assert left(devices, cluster) == {"a": [700, 0], "b": [1000]}
    cluster.remove(shared.uid, "a")
    assert left(devices, cluster) == {"a": [1000, 0], "b": [1000]}
    cluster.remove(whole.uid, "a")
    assert left(devices, cluster) == {"a": [1000, 1000], "b": [1000]}
    assert not devices.pods_by_devices.any()


def test_a_node_that_goes_and_comes_back_with_other_devices_is_counted_anew() -> None:
    cluster = cluster_of(gpu_node("a", 2))
    devices = GpuDevices(Fullest())
    place(cluster, gpu_pod(300), "a")
    assert left(devices, cluster) == {"a": [700, 1000]}
    cluster.remove_node("a")
    devices.refresh(cluster)
    assert not devices.left.any()
    cluster.set_node(gpu_node("a", 1).manifest())
    assert left(devices, cluster) == {"a": [700]}


def test_the_table_grows_with_the_cluster_and_looks_only_at_what_changed() -> None:
    cluster = cluster_of(*(gpu_node(f"n{number}", 1) for number in range(60)))
    devices = GpuDevices(Fullest())
    devices.refresh(cluster)
    for number in range(60, 200):
        cluster.set_node(gpu_node(f"n{number}", 1).manifest())
    assert left(devices, cluster) == {f"n{number}": [1000] for number in range(200)}
    place(cluster, gpu_pod(10), "n7")
    row = cluster.row_of("n7")
    assert devices.refresh(cluster).tolist() == [row]
    assert devices.refresh(cluster).tolist() == []


def test_any_history_leaves_what_the_pods_do_not_hold() -> None:
    random = np.random.default_rng(5)
    cluster = cluster_of(*(gpu_node(f"n{number}", int(random.integers(1, 9))) for number in range(12)))
    devices = GpuDevices(AnyDevice(random))
    filtering = OpenGpuShare(devices)
    placed: dict[str, tuple[str, int]] = {}
    for number in range(600):
        builder = gpu_pod(int(random.choice([0, 50, 330, 500, 810, 1000, 2000, 8000])), str(number), cpu="100m")
        requirements = requirements_of(cluster, builder)
        fitting = [
            name
            for name, fits in by_node(cluster, filtering.filter(requirements, cluster, cluster.rows())).items()
            if fits
        ]
        if fitting:
            name = str(random.choice(fitting))
            place(cluster, builder, name)
            demand = demand_of(requirements, cluster)
            placed[builder.uid] = (name, demand.devices * demand.milli)
        if placed and random.random() < 0.4:
            uid = str(random.choice(list(placed)))
            cluster.remove(uid, placed.pop(uid)[0])
        now = left(devices, cluster)
        for name, row in now.items():
            held = sum(milli for node_name, milli in placed.values() if node_name == name)
            assert all(0 <= one <= 1000 for one in row)
            assert 1000 * len(row) - sum(row) == held
    assert placed


@pytest.mark.parametrize(
    ("taken", "milli", "fits"),
    [
        ((), 1000, True),
        ((), 2000, True),
        ((), 3000, False),
        ((600, 600), 500, False),
        ((600, 600), 400, True),
        ((600, 600), 1000, False),
        ((600,), 1000, True),
        ((600,), 2000, False),
        ((1000, 1000), 0, True),
    ],
)
def test_a_node_passes_when_single_devices_have_enough_left(taken: tuple[int, ...], milli: int, fits: bool) -> None:
    cluster = cluster_of(gpu_node("a", 2))
    filtering = OpenGpuShare(GpuDevices(Fullest()))
    for number, one in enumerate(taken):
        place(cluster, gpu_pod(one, str(number)), "a")
    requirements = requirements_of(cluster, gpu_pod(milli))
    assert by_node(cluster, filtering.filter(requirements, cluster, cluster.rows())) == {"a": fits}


def test_only_a_node_with_too_few_devices_could_never_run_the_pod() -> None:
    cluster = cluster_of(gpu_node("small", 1), gpu_node("full", 2))
    filtering = OpenGpuShare(GpuDevices(Fullest()))
    place(cluster, gpu_pod(2000), "full")
    requirements = requirements_of(cluster, gpu_pod(2000))
    rows = cluster.rows()
    assert not filtering.filter(requirements, cluster, rows).any()
    assert by_node(cluster, filtering.unresolvable(requirements, cluster, rows)) == {"small": True, "full": False}
    assert filtering.reasons(requirements, cluster, rows) == {f"Insufficient {GPU_MILLI} on each device": 2}
