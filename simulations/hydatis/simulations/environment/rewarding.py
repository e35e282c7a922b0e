"""What the agent is paid for: the less overload, waiting and money between two decisions, the better.

Costs accrue over virtual time, so that what a placement does later counts when it happens, and the rewards of an
episode add up to minus its cost, however many decisions there were. For that they are not transformed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.virtual_time.record import PodOutcome
from hydatis.simulations.virtual_time.running import Run

TARGET_SHARE = 0.65
"""CPU above this share of a node is overload."""
_MIB_A_GIB = 1024
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class RewardWeights:
    """What one unit of each cost takes from the reward; none below 0."""

    efficiency: float = 10.0
    """An hour of one node at 100 % of its CPU over the target costs this: overload goes by (share - 0.65) squared, over
    all nodes, in node-hours.
    """
    availability: float = 1.0
    """A pod that is not running for an hour: it waits for a node, or was killed or lost and is not back."""
    given_up: float = 1.0
    """A pod whose owner gave up waiting."""
    cost: float = 0.1
    """A US dollar for the hours of nodes with at least one pod, at list prices."""
    infeasible: float = 1.0
    """A choice of a node to which the pod cannot go."""


class CostMeter:
    """Adds up a run's costs as time passes."""

    def __init__(self, run: Run, weights: RewardWeights, prices: Prices) -> None:
        self._run = run
        self._weights = weights
        machines = run.machines
        self._capacity = machines.cpu_millicores
        self._usd_an_hour = (
            machines.cpu_millicores / 1000 * prices.core_hour_usd
            + machines.memory_mib / _MIB_A_GIB * prices.gib_hour_usd
        )
        self._given_up = 0
        self._rates = dict.fromkeys(("efficiency", "availability", "cost"), 0.0)
        self._overload_rates = np.zeros(len(machines))
        """(nodes,) what an hour of each node's overload costs."""
        self._overload = np.zeros(len(machines))
        self._since = 0.0

    def note(self) -> None:
        """Take down what an hour costs as things are now, from now on."""
        run, weights = self._run, self._weights
        share = run.running.by_node(run.running.cpu_wanted) / self._capacity
        self._overload_rates = weights.efficiency * np.maximum(share - TARGET_SHARE, 0.0) ** 2
        away = np.isin(run.recorder.outcome, (PodOutcome.KILLED, PodOutcome.LOST))
        absent = len(run.waiting) + int(np.count_nonzero(away))
        used = run.running.count_by_node() > 0
        self._rates = {
            "efficiency": float(self._overload_rates.sum()),
            "availability": weights.availability * absent,
            "cost": weights.cost * float(self._usd_an_hour[used].sum()),
        }
        self._since = run.queue.now

    def passed(self, now: float) -> Mapping[str, float]:
        """Return the costs since they were last noted down, up to now."""
        hours = (now - self._since) / _HOUR_SECONDS
        self._since = now
        self._overload += self._overload_rates * hours
        costs = {name: rate * hours for name, rate in self._rates.items()}
        given_up = int(np.count_nonzero(self._run.recorder.outcome == PodOutcome.GAVE_UP))
        costs["availability"] += self._weights.given_up * (given_up - self._given_up)
        self._given_up = given_up
        return costs

    def overload_by_node(self) -> Float64Array:
        """Return (nodes,) what each node's overload has cost since this was asked last."""
        found, self._overload = self._overload, np.zeros(len(self._overload))
        return found
