"""FGD against a slow reading of the source, one node and one device at a time."""

import math

import numpy as np
import pytest

from hydatis.scheduler.testing import by_node, cluster_of, node, place, pod, requirements_of
from hydatis.simulations.baselines.fgd import FgdScore
from hydatis.simulations.baselines.fragmentation import Fragmentation
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.gpu_sharing.demands import GPU_MILLI, GPU_MODEL_LABEL, GpuDemand
from hydatis.simulations.traces.forms import Arrivals

MODELS = ("T4", "P100", "V100")
Typical = tuple[int, int, int, tuple[str, ...], float]
"""Millicores, devices, thousandths of each, models, share."""


def arrivals(requests: list[tuple[int, int, int, tuple[str, ...]]]) -> Arrivals:
    """Pods with these millicores, devices, thousandths and models."""
    count = len(requests)
    absent = np.full(count, np.nan)
    columns = [np.array([request[field] for request in requests], dtype=np.int64) for field in range(3)]
    return Arrivals(
        names=tuple(map(str, range(count))), owners=("",) * count, qos=("",) * count,
        cpu_millicores=columns[0], memory_mib=np.ones(count, dtype=np.int64), gpus=columns[1], gpu_milli=columns[2],
        gpu_models=tuple(request[3] for request in requests), disk_gib=absent, nic_percent=absent,
        most_per_node=np.zeros(count, dtype=np.int64), created_seconds=absent, scheduled_seconds=absent,
        deleted_seconds=absent,
    )  # fmt: skip


def fragments(cpu: int, left: list[int], model: str, typical: list[Typical]) -> float:
    """utils.NodeGpuShareFragAmountScore."""
    amount = 0.0
    for millicores, devices, milli, models, share in typical:
        runs = devices > 0 and (not models or model in models) and cpu >= millicores
        if runs and sum(one >= milli for one in left) >= devices:
            amount += share * sum(one for one in left if one < milli)
        else:
            amount += share * sum(left)
    return amount


def score(before: float, after: float) -> int:
    return int(100 / (1 + math.exp(-round((before - after) / 1000, 9))))


def fgd(
    cpu: int, left: list[int], model: str, typical: list[Typical], request: tuple[int, int, int]
) -> tuple[int, int]:
    """calculateGpuShareFragExtendScore, and the device for a part of one, else -1."""
    millicores, devices, milli = request
    before = fragments(cpu, left, model, typical)
    if devices == 1 and milli < 1000:
        best, chosen = 0, -1
        for device, one in enumerate(left):
            if one >= milli:
                changed = [*left[:device], one - milli, *left[device + 1 :]]
                found = score(before, fragments(cpu - millicores, changed, model, typical))
                if chosen < 0 or found > best:
                    best, chosen = found, device
        return best, chosen
    changed, wanted = list(left), devices
    for device, one in enumerate(left):
        if wanted and one == 1000:
            changed[device], wanted = 0, wanted - 1
    return (score(before, fragments(cpu - millicores, changed, model, typical)) if not wanted else 0), -1


@pytest.mark.parametrize("seed", range(4))
def test_scores_and_devices_are_those_of_the_source(seed: int) -> None:
    random = np.random.default_rng(seed)
    requests = [
        (
            int(random.integers(1, 33) * 1000),
            int(devices := random.choice([0, 1, 1, 1, 2, 8])),
            0 if not devices else 1000 if devices > 1 else int(random.choice([100, 330, 500, 810, 1000])),
            tuple(MODELS[:2]) if random.random() < 0.3 else (),
        )
        for _ in range(60)
    ]
    typical = TypicalPods.of(arrivals(requests))
    plain = [
        (int(cpu), demand.devices, demand.milli, models, float(share))
        for cpu, demand, models, share in zip(
            typical.cpu_millicores, typical.demands, typical.gpu_models, typical.shares, strict=True
        )
    ]
    counts = random.integers(1, 9, size=12).tolist()
    models = [MODELS[number % 3] for number in range(12)]
    builders = [
        node(f"n{number}").allocatable(cpu="64", memory="1Ti").label(GPU_MODEL_LABEL, models[number])
        .allocatable_of({GPU_MILLI: count * 1000})
        for number, count in enumerate(counts)
    ]  # fmt: skip
    cluster = cluster_of(*builders)
    plugin = FgdScore(Fragmentation(typical))
    state = [(64_000, [1000] * count) for count in counts]
    for number in range(80):
        millicores = int(random.integers(1, 5) * 1000)
        devices = int(random.choice([0, 1, 1, 1, 2]))
        milli = 0 if not devices else 1000 if devices > 1 else int(random.choice([100, 330, 500, 810, 1000]))
        builder = pod(f"p{number}").request_of({"cpu": f"{millicores}m", GPU_MILLI: devices * milli})
        found = by_node(cluster, plugin.score(requirements_of(cluster, builder), cluster, cluster.rows()))
        feasible = []
        for position, (cpu, left) in enumerate(state):
            if cpu >= millicores and sum(one >= milli for one in left) >= devices:
                wanted, device = fgd(cpu, left, models[position], plain, (millicores, devices, milli))
                assert found[f"n{position}"] == wanted, (number, position)
                feasible.append((position, device))
        if not feasible:
            continue
        position, device = feasible[random.integers(len(feasible))]
        place(cluster, builder, f"n{position}")
        plugin.devices.refresh(cluster)
        cpu, left = state[position]
        changed, wanted = list(left), devices
        for one in [device] if device >= 0 else range(len(left)):
            if wanted and changed[one] >= milli and (device >= 0 or changed[one] == 1000):
                changed[one], wanted = changed[one] - milli, wanted - 1
        state[position] = (cpu - millicores, changed)
        assert plugin.devices.left[cluster.row_of(f"n{position}")].tolist()[: len(left)] == changed


def test_typical_pods_make_up_ninety_five_percent_of_all() -> None:
    requests = [(1000, 1, 500, ())] * 60 + [(2000, 0, 0, ())] * 30 + [(3000, 1, 1000, ("T4",))] * 6
    typical = TypicalPods.of(arrivals([*requests, *[(4000 + n, 1, 1000, ()) for n in range(4)]]))
    assert typical.cpu_millicores.tolist() == [1000, 2000, 3000]
    assert typical.demands == (GpuDemand(1, 500), GpuDemand(0, 0), GpuDemand(1, 1000))
    assert typical.gpu_models == ((), (), ("T4",))
    assert typical.shares == pytest.approx([60 / 96, 30 / 96, 6 / 96])


def test_a_workload_without_gpus_makes_everything_a_fragment() -> None:
    cluster = cluster_of(node("a").allocatable_of({GPU_MILLI: 2000}))
    fragmentation = Fragmentation(TypicalPods.of(arrivals([(1000, 0, 0, ())])))
    left = np.array([[1000, 500]], dtype=np.int64)
    assert fragmentation.amounts(cluster, cluster.rows(), np.array([4000]), left).tolist() == [1500]
