"""What the scheduler knows of owners when a run begins: a cluster long in use has seen most of them before.

Called by the run. The owners' series are read backwards from the beginning; nothing of what pods will use in the run is
in it. Some owners are new and unknown.
"""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int64Array
from hydatis.scheduler.measured_load import LoadSettings
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.remembered_owners import RememberedOwners
from hydatis.simulations.virtual_time.scenario import Assumptions
from hydatis.simulations.virtual_time.workload import Workload

_HOUR = 3600.0
_PODS_AN_OWNER = 8
"""Enough to follow all of an owner's series, and some of them twice."""


def remembered(
    workload: Workload, owners: list[Owner], assumptions: Assumptions, random: np.random.Generator
) -> RememberedOwners:
    """Return what was learned of owners in the hours before the run, one sample an hour of a few pods each.

    `owners` are the workload's, as the core names them; which of them are new is drawn.
    """
    history = OwnerHistory(LoadSettings().history)
    known = random.random(len(owners)) >= assumptions.new_owners_share
    numbers = [history.hold(owner) for owner in owners]
    usage = workload.usage
    pods = _some_of_each(workload.owner_of_pod, known)
    who = np.array(numbers, dtype=np.intp)[workload.owner_of_pod[pods]]
    for hour in range(int(assumptions.history_seconds // _HOUR), 0, -1):
        at = -hour * _HOUR
        steps = np.floor((workload.offset_seconds[pods] + at) / usage.step_seconds).astype(np.int64)
        shares = np.stack(
            [
                table[workload.series[pods], steps % table.shape[1]].astype(np.float64) / 100.0
                for table in (usage.cpu_percent, usage.memory_percent)
            ]
        )
        history.learn(who, shares, np.full(len(pods), at), np.ones(len(pods)))
    return history.remembered(0.0)


def _some_of_each(owner_of_pod: Int64Array, known: BoolArray) -> Int64Array:
    """Return the first few pods of each known owner."""
    pods = np.argsort(owner_of_pod, kind="stable")
    owners, starts = np.unique(owner_of_pod[pods], return_index=True)
    rank = np.arange(len(pods)) - starts[np.searchsorted(owners, owner_of_pod[pods])]
    return pods[(rank < _PODS_AN_OWNER) & known[owner_of_pod[pods]]]
