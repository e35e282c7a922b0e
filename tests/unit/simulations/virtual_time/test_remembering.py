"""What the scheduler knows of owners when a run begins."""

import numpy as np
import pytest

from hydatis.scheduler.owner import Owner as OwnerKey
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.simulations.virtual_time.remembering import remembered
from hydatis.simulations.virtual_time.scenario import Assumptions
from hydatis.simulations.virtual_time.workload import Owner, Usage, Workload

HOUR = 3600.0
DAY = 24 * HOUR
KEYS = [OwnerKey("services", "Deployment", name) for name in ("busy", "idle")]


def workload() -> Workload:
    """Two owners with two pods each. «busy» uses all of its request until the run begins, and nothing from then on."""
    steps = 2 * 24
    busy = np.where(np.arange(steps) < 24, 100.0, 0.0)
    cpu = np.stack([busy, np.full(steps, 10.0)]).astype(np.float32)
    nothing = np.zeros((2, 1), dtype=np.float32)
    owners = tuple(Owner(name, "services", "LS", 1000, 1024) for name in ("busy", "idle"))
    count = 4
    return Workload(
        owners=owners,
        owner_of_pod=np.array([0, 0, 1, 1]),
        created_seconds=np.zeros(count),
        lifetime_seconds=np.full(count, DAY),
        patience_seconds=np.full(count, np.inf),
        initial=np.zeros(count, dtype=np.bool_),
        series=np.array([0, 0, 1, 1]),
        offset_seconds=np.full(count, DAY),
        usage=Usage(HOUR, cpu, np.full((2, 1), 50.0, dtype=np.float32), nothing, nothing, nothing),
    )


def history(seconds: float, new: float = 0.0) -> OwnerHistory:
    assumptions = Assumptions(history_seconds=seconds, new_owners_share=new)
    found = OwnerHistory()
    found.restore(remembered(workload(), KEYS, assumptions, np.random.default_rng(1)), 0.0)
    return found


def test_owners_are_known_by_what_their_pods_used_before_the_run_alone() -> None:
    found = history(DAY)
    busy, idle = (found.use_of(key) for key in KEYS)
    assert busy.cpu_mean == pytest.approx(1.0, abs=0.05)
    assert idle.cpu_mean == pytest.approx(0.1, abs=0.05)
    assert busy.memory_mean == pytest.approx(0.5, abs=0.05)


def test_pods_that_follow_the_same_series_are_known_to_swing_together() -> None:
    found = history(2 * DAY)
    assert found.shared[0, found.number_of(KEYS[0])] > 0.8


def test_owners_that_are_new_are_unknown() -> None:
    found = history(DAY, new=1.0)
    assert found.use_of(KEYS[0]) == pytest.approx(OwnerHistory().use_of(KEYS[0]))
