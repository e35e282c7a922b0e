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
from hydatis.simulations.environment.observing import NODE_FEATURES, POD_FEATURES, Feature, Observer
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

_SEEDS = 2**31
_TERMS = ("efficiency", "availability", "cost", "infeasible")


class Placement(gymnasium.Env[Any, np.int64]):
    """Place pods, one a step, on the nodes of a scenario until its time is over.

    ## Action
    `Discrete(nodes)`: the node for the pod whose turn it is, as an index in the scenario's order. `action_masks()`,
    and `action_mask` in the info, tell which nodes the pod can go to. Another node costs `RewardWeights.infeasible`,
    and the pod goes to the first node to which it can.

    ## Observation
    A dictionary of two arrays of float32: `nodes`, of shape (nodes x 11,), node by node, and `pod`, of shape (7,). They
    are flat because Stable-Baselines3 takes any other shape for a picture; `nodes.reshape(-1, 11)` is a row a node.
    Their features, with bounds, are `observing.NODE_FEATURES` and `observing.POD_FEATURES`. They hold what the
    scheduler knows, with metrics as late and as incomplete as in a cluster. After the last decision both are 0.

    ## Reward
    Minus what has accrued from the decision to the next one, in virtual time: efficiency (overload of CPU, in squared
    share times node-hours), availability (pod-hours of pods that do not run, and pods given up) and cost (US
    dollars), each times its weight in `RewardWeights`. `terms` in the info has each of them.

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
        self.observation_space = spaces.Dict({"nodes": _box(nodes, NODE_FEATURES), "pod": _box(1, POD_FEATURES)})
        self._source: Source | None = None
        self._run: Run | None = None
        self._opened: OpenDecision | None = None
        self._turns: Iterator[float] = iter(())

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
        now = self._run.queue.now
        self._run.carry_out(self._run.scheduler.decide(name, now), now)
        for term, costs in self._proceed().items():
            terms[term] -= costs
        info = self._info({"terms": terms})
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
            sizes = {"nodes": self.scenario.node_count * len(NODE_FEATURES), "pod": len(POD_FEATURES)}
            return {name: np.zeros(size, dtype=np.float32) for name, size in sizes.items()}
        run = self._run
        return {
            "nodes": self._observer.nodes(self._opened).ravel(),
            "pod": self._observer.pod(self._opened, run.queue.now, len(run.waiting)),
        }

    def _info(self, more: Info) -> Info:
        seconds = 0.0 if self._run is None else self._run.queue.now
        return {"seconds": seconds, "action_mask": self.action_masks(), **more}


def _box(count: int, features: tuple[Feature, ...]) -> spaces.Box:
    """Return a space of `count` times the features, one after the other, each with its bounds."""
    low, high = (
        np.tile(np.array([getattr(feature, end) for feature in features], dtype=np.float32), count)
        for end in ("low", "high")
    )
    return spaces.Box(low, high, dtype=np.float32)
