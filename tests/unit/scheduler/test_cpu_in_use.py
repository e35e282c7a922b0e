"""What is kept up to date row by row is what a count from nothing finds, whatever happened."""

import numpy as np
import pytest

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cpu_in_use import CpuInUse
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.scheduler.testing import cluster_of, measure_nodes, measure_pods, node, pod, run_pod

GIB = 2.0**30
NODES = tuple(f"n{number}" for number in range(6))


def recounted(found: Cluster) -> float:
    return CpuInUse(found.load).share(found.allocatable[CPU_COLUMN], found.rows(), found.node_changes.position)


def requested(found: Cluster, number: int, row: int) -> list[float]:
    """What the pods of an owner on a row request together, one by one."""
    pods = found.load.pods
    slots = [slot for slot in range(len(pods.rows)) if pods.rows[slot] == row and pods.owners[slot] == number]
    return [float(sum(pods.requests[resource, slot] for slot in slots)) for resource in range(2)]


@pytest.mark.parametrize("seed", range(8))
def test_histories_leave_what_a_recount_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    found = cluster_of(*(node(name).allocatable(cpu="16", memory="64Gi") for name in NODES[:4]))
    now, pods, values = 0.0, dict[str, str](), set[float]()
    for step in range(120):
        now += float(random.choice([0.0, 5.0, 60.0, 200.0]))
        present = [name for name in NODES if found.row_of(name) is not None]
        match int(random.integers(6)):
            case 0 | 1 if present:
                owner = f"o{random.integers(3)}"
                each = pod(f"{owner}-{step}").requests(cpu="1", memory="1Gi").owned_by("StatefulSet", owner)
                pods[each.uid] = str(random.choice(present))
                run_pod(found, each, pods[each.uid], now)
            case 2 if pods:
                uid = str(random.choice(list(pods)))
                found.remove(uid, pods.pop(uid))
            case 3 if present:
                chosen = random.choice(present, size=int(random.integers(1, len(present) + 1)), replace=False)
                use = {str(name): (float(random.uniform(0, 16000)), GIB) for name in chosen}
                measure_nodes(found, now, use)
            case 4 if pods:
                measure_pods(found, now, {uid: (float(random.uniform(0, 1500)), GIB) for uid in pods})
            case 5:
                name = str(random.choice(NODES))
                if found.row_of(name) is None:
                    found.set_node(node(name).allocatable(cpu=str(random.integers(4, 32)), memory="64Gi").manifest())
                elif name not in pods.values():
                    found.remove_node(name)
            case _:
                found.load.advance(now)
        assert found.cpu_utilization() == recounted(found)
        values.add(found.cpu_utilization())
        numbers = set(found.load.pods.owners[found.load.pods.rows >= 0].tolist())
        for number in numbers:
            sums = found.load.expected.requested_by(number, found.rows())
            for position, row in enumerate(found.rows().tolist()):
                assert sums[:, position].tolist() == requested(found, number, row)
    assert len(values) > 20
