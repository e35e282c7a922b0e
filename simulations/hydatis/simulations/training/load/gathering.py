"""Plays a scenario, and asks at a part of its decisions what one more pod like the one at hand would add to each node.

Large pods that live long are asked about more often, and count less each: it is they that decide how loaded nodes are.
"""

from collections.abc import Sequence

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.plugins.ensemble import by_decade
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.simulations.baselines.policies import OneScoreByChance
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.load.hindsight import HORIZON_SECONDS, Answered, Question, answered
from hydatis.simulations.training.load.judging import Judge
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.workload import Workload

_CHOICES = 8_101
"""Tells the generator of questions from the others of the same seed."""
_LEAST_CHANCE = 0.01
_CLOSED_FORM = ExpectedOverload()


def gather(scenario: Scenario, workload: Workload, judge: Judge, seed: int, *, questions: int = 900) -> Answered:
    """Play a run in which `judge` places the pods; ask about so many questions.

    Raises:
        SimulationError: no pod was placed.

    """
    return _Gatherer(scenario, workload, judge, seed, questions).play()


class _Gatherer:
    """One run under way."""

    def __init__(self, scenario: Scenario, workload: Workload, judge: Judge, seed: int, questions: int) -> None:
        self._run = Run(scenario, workload, OneScoreByChance(), seed)
        self._workload = workload
        self._judge = judge
        self._random = np.random.default_rng([seed, _CHOICES])
        self._chance = _chances(workload, questions)
        self._alike = _alike(workload)
        self._questions: list[Question] = []

    def play(self) -> Answered:
        run, scheduler = self._run, self._run.scheduler
        run.begin()
        for now in run.turns():
            while (opened := scheduler.open_decision(now)) is not None:
                if isinstance(opened, OpenDecision):
                    run.carry_out(scheduler.decide(self._chosen(opened, now), now), now)
                else:
                    run.carry_out(opened, now)
        if not self._questions:
            raise SimulationError("no decision was asked about; play a longer scenario, or ask more questions.")
        return answered(self._questions, run.finish(), self._workload, run.running)

    def _chosen(self, opened: OpenDecision, now: float) -> str:
        run, cluster = self._run, self._run.scheduler.cluster
        names = sorted(opened.nodes)
        found = [row for name in names if (row := cluster.row_of(name)) is not None]
        rows = np.array(found, dtype=np.intp)
        requirements, owner = opened.pod_class.requirements, opened.pod_class.owner
        added = _CLOSED_FORM.for_owner(owner).added_overload(requirements, cluster, rows)
        pod = run.pod_of(opened.pod.uid)
        asked = self._random.random() < self._chance[pod]
        if not asked and self._judge.model is None:
            # Features take longer than all the rest.
            return names[self._best(by_decade(added))]
        features = placement_features(requirements, owner, cluster, rows, added)
        if asked:
            nodes = np.array([run.machines.number_of(name) for name in names], dtype=np.int64)
            another = int(self._random.choice(self._alike[pod]))
            self._questions.append(Question(now, another, nodes, features, 1.0 / float(self._chance[pod])))
        return names[self._best(self._judge.scores(features, added))]

    def _best(self, scores: Float64Array) -> int:
        """Return the position of the highest score, of equals one at random."""
        return int(self._random.choice(np.flatnonzero(scores == scores.max())))


def _chances(workload: Workload, questions: int) -> Float64Array:
    """(pods,) How probably each is asked about: by the root of its request and life, so that the sum is about right."""
    size = np.sqrt(workload.cpu_millicores * np.minimum(workload.lifetime_seconds, HORIZON_SECONDS))
    chance = np.minimum(1.0, questions * size / size.sum())
    chance = np.clip(chance * questions / chance.sum(), _LEAST_CHANCE, 1.0)
    return np.asarray(chance, dtype=np.float64)


def _alike(workload: Workload) -> Sequence[Int64Array]:
    """By pod, those of its owner, and of them those that are there from the beginning, or those that come."""
    groups: dict[tuple[int, bool], Int64Array] = {}
    keys = list(zip(workload.owner_of_pod.tolist(), workload.initial.tolist(), strict=True))
    for owner, initial in dict.fromkeys(keys):
        groups[owner, initial] = np.flatnonzero((workload.owner_of_pod == owner) & (workload.initial == initial))
    return [groups[key] for key in keys]
