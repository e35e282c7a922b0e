"""The environment: one step is one decision of the scheduler, in a cluster in virtual time.

The decision core filters as it does in a cluster; only the choice among the nodes that pass is the agent's. One thread.
"""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from hydatis.scheduler.open_decision import OpenDecision
from hydatis.simulations.baselines.policies import OneScoreByChance
from hydatis.simulations.environment.observing import COLUMNS, Observer
from hydatis.simulations.environment.rewarding import CostMeter, RewardWeights
from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.sweeps.assuming import assuming
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.pool import Source
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.scenario import Part, Scenario
from hydatis.simulations.virtual_time.sources import open_source

Observation = dict[str, Float32Array]
Info = dict[str, Any]

MOST_HOURS = 24.0
"""Times between two decisions are cut here."""
_SEEDS = 2**31
_TERMS = ("efficiency", "availability", "cost", "infeasible")


class Placement(gymnasium.Env[Any, np.int64]):
    """Place pods, one a step, on the nodes of a scenario until its time is over.

    ## Action
    `Discrete(nodes)`: the node for the pod whose turn it is, as an index in the scenario's order. `action_masks()`,
    and `action_mask` in the info, tell which nodes the pod can go to. Another node costs `RewardWeights.infeasible`,
    and the pod goes to the first node to which it can.

    ## Observation
    A dictionary of two arrays of float32. `nodes`, of shape (nodes x columns,), has the nodes one after the other; it
    is flat because Stable-Baselines3 takes any other shape for a picture, and `rows_of` makes a row a node of it. The
    columns, with bounds, are `observing.COLUMNS`: whether the node exists, whether the pod can go there, and what a
    placement model reads in a cluster (`PLACEMENT_SCHEMA`), with metrics as late and as incomplete as there. `hours`,
    of shape (1,), is the time since the decision before. After the last decision `nodes` is 0.

    ## Reward
    Minus what has accrued from the decision to the next one, in virtual time: efficiency (overload of CPU, in squared
    share times node-hours), availability (pod-hours of pods that do not run, and pods given up) and cost (US
    dollars), each times its weight in `RewardWeights`. `terms` in the info has each of them, and `overload`, (nodes,),
    how much of the efficiency each node cost.

    ## Beginning
    An empty cluster; the pods that the scenario has from the beginning come first. Each episode draws a workload,
    faults and gaps in the metrics of its own from the environment's generator; `options={"workload_seed": 7}` sets
    which.

    ## End
    The episode is truncated when the scenario's time is over; it is never terminated. The info then has the run's
    `measures`.

    ## Arguments
    `scenario` and `assumptions` as of `hydatis simulate`; `part` of the traces (learning is for `training`); `weights`.
    Workloads are drawn from the traces in HYDATIS_DATA, made up without it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        scenario: str = "six",
        assumptions: Mapping[str, str] | None = None,
        part: str = Part.TRAINING,
        weights: RewardWeights | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Raises `SimulationError` when there is no such scenario, assumption or part."""
        self.scenario: Scenario = assuming(scenario_named(scenario), {"part": str(part), **(assumptions or {})})
        self.weights = weights or RewardWeights()
        self.render_mode = render_mode
        nodes = self.scenario.node_count
        self.action_space = spaces.Discrete(nodes)
        self.observation_space = spaces.Dict({"nodes": _rows_box(nodes), "hours": spaces.Box(0.0, MOST_HOURS, (1,))})
        self._source: Source | None = None
        self._run: Run | None = None
        self._opened: OpenDecision | None = None
        self._turns: Iterator[float] = iter(())
        self._decided_seconds = 0.0
        """When the decision before the open one was made."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, Info]:
        """Begin an episode, up to its first decision.

        Raises:
            SimulationError: no workload can be drawn.
            TraceError: HYDATIS_DATA is set and the traces cannot be read.

        """
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(_SEEDS))
        number = int((options or {}).get("workload_seed", drawn))
        if self._source is None:
            self._source = open_source(os.environ)
        workload = draw_workload(self.scenario, self._source, number)
        self._run = run = Run(self.scenario, workload, OneScoreByChance(), number)
        self._meter = CostMeter(run, self.weights, Prices())
        self._observer = Observer(run.machines, run.scheduler.cluster)
        run.begin()
        self._turns = run.turns()
        self._decided_seconds = 0.0
        next(self._turns, None)
        self._proceed()
        return self._observation(), self._info({"workload_seed": number})

    def step(self, action: np.int64) -> tuple[Observation, float, bool, bool, Info]:
        """Place the pod, and let time pass until the next one wants a node.

        Raises:
            RuntimeError: the episode is over, or has not begun.

        """
        if self._run is None or self._opened is None:
            raise RuntimeError("no pod wants a node; begin an episode with reset()")
        names = self._run.machines.names
        name = names[int(action)]
        terms = dict.fromkeys(_TERMS, 0.0)
        if name not in self._opened.nodes:
            terms["infeasible"] -= self.weights.infeasible
            name = next(other for other in names if other in self._opened.nodes)
        now = self._decided_seconds = self._run.queue.now
        self._run.carry_out(self._run.scheduler.decide(name, now), now)
        for term, costs in self._proceed().items():
            terms[term] -= costs
        info = self._info({"terms": terms, "overload": self._meter.overload_by_node()})
        truncated = self._opened is None
        if truncated:
            info["measures"] = measure_run(self._run.finish(), open_nodes=self._run.machines.untainted)
        return self._observation(), sum(terms.values()), False, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """(nodes,) Whether the pod can go to each node; all when no pod wants one."""
        if self._run is None or self._opened is None:
            return np.ones(self.scenario.node_count, dtype=np.bool_)
        return np.array([name in self._opened.nodes for name in self._run.machines.names], dtype=np.bool_)

    def _proceed(self) -> dict[str, float]:
        """Let time pass until a pod wants a node or the end; return what that cost."""
        costs = dict.fromkeys(_TERMS, 0.0)
        run = self._run
        assert run is not None  # noqa: S101 - called within an episode
        while (opened := self._decision(run)) is None:
            self._meter.note()
            over = next(self._turns, None) is None
            now = self.scenario.length_seconds if over else run.queue.now
            for term, amount in self._meter.passed(now).items():
                costs[term] += amount
            if over:
                break
        self._opened = opened
        return costs

    def _decision(self, run: Run) -> OpenDecision | None:
        """Return the next decision at this time, after what needs none."""
        now = run.queue.now
        while (opened := run.scheduler.open_decision(now)) is not None:
            if isinstance(opened, OpenDecision):
                return opened
            run.carry_out(opened, now)
        return None

    def _observation(self) -> Observation:
        if self._run is None or self._opened is None:
            nodes = np.zeros((self.scenario.node_count, len(COLUMNS)), dtype=np.float32)
        else:
            nodes = self._observer.nodes(self._opened)
        hours = (self._seconds() - self._decided_seconds) / 3600.0
        return {"nodes": nodes.ravel(), "hours": np.array([min(hours, MOST_HOURS)], dtype=np.float32)}

    def _seconds(self) -> float:
        return 0.0 if self._run is None else self._run.queue.now

    def _info(self, more: Info) -> Info:
        return {"seconds": self._seconds(), "action_mask": self.action_masks(), **more}


def rows_of(nodes: Float32Array) -> Float32Array:
    """Return (..., nodes, columns) of `nodes` of one or many observations, (..., nodes x columns)."""
    return nodes.reshape(*nodes.shape[:-1], -1, len(COLUMNS))


def _rows_box(count: int) -> spaces.Box:
    """Return a space of so many rows, one after the other; a node that does not exist has a row of 0."""
    low, high = (
        np.tile(np.array([bound(0.0, getattr(one, end)) for one in COLUMNS], dtype=np.float32), count)
        for end, bound in (("low", min), ("high", max))
    )
    return spaces.Box(low, high, dtype=np.float32)
