"""Trains agents and measures them: what `hydatis train placement` does, told step by step."""

import os
from collections.abc import Callable, Sequence

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.placement.agent import PlacementAgent
from hydatis.simulations.training.placement.curves import Curve, curves_of
from hydatis.simulations.training.placement.evaluating import MEASURES, Played, agent_policies, baselines, play
from hydatis.simulations.training.placement.exporting import onnx_of
from hydatis.simulations.training.placement.learning import Lesson, learn
from hydatis.simulations.training.placement.settings import SETTINGS
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.sources import open_source

SNAPSHOTS = 5
"""So often an agent is looked at in training, beside its beginning."""


class Session:
    """One lesson, an agent for each seed."""

    def __init__(
        self, lesson: Lesson, seeds: Sequence[int], settings: Sequence[str], told: Callable[[str], None]
    ) -> None:
        """`told` is given lines about how far it is.

        Raises:
            SimulationError: there is no such scenario or setting.

        """
        for setting in settings:
            if setting not in SETTINGS:
                raise SimulationError(f"--setting {setting} is unknown; choose from {', '.join(SETTINGS)}.")
        self._scenario = scenario_named(lesson.scenario)
        self._lesson = lesson
        self._seeds = seeds
        self._settings = settings
        self._told = told
        self._snapshots: dict[int, dict[int, bytes]] = {seed: {} for seed in seeds}

    def train(self, *, curves: bool = False) -> None:
        """Train all agents; with `curves` keep them also as they are on the way.

        Raises:
            SimulationError: no workload can be drawn.
            TraceError: HYDATIS_DATA is set and the traces cannot be read.

        """
        steps = self._lesson.steps
        for seed in self._seeds:
            kept = self._snapshots[seed]

            def snapshot(done: int, agent: PlacementAgent, seed: int = seed, kept: dict[int, bytes] = kept) -> None:
                if curves:
                    kept[done] = onnx_of(agent.q_net.added)
                self._told(f"seed {seed}: {done}/{steps} decisions")

            agent = learn(self._lesson, seed, max(1, steps // SNAPSHOTS), snapshot)
            kept[steps] = onnx_of(agent.q_net.added)

    def model_of(self, seed: int) -> bytes:
        """Return the trained agent as ONNX."""
        return self._snapshots[seed][self._lesson.steps]

    def curves(self) -> tuple[list[Curve], dict[str, float]]:
        """Return the curves of all agents, and what the baselines reach."""
        snapshots = {self._name(seed): kept for seed, kept in self._snapshots.items()}
        return curves_of(self._scenario, open_source(os.environ), snapshots, done=self._told)

    def judge(self, runs: int) -> list[Played]:
        """Play the trained agents and the baselines, with the seeds from 1 to `runs`."""
        if not runs:
            return []
        agents = agent_policies({self._name(seed): self.model_of(seed) for seed in self._seeds})
        policies = {**baselines(), **agents}
        there, total = 0, runs * len(policies) * len(self._settings)

        def done(played: Played) -> None:
            nonlocal there
            there += 1
            reached = f"{played.measures[MEASURES[0]]:.2f} % of node-minutes above 80 % CPU"
            self._told(f"{there}/{total} {played.setting}, {played.policy}, run {played.seed}: {reached}")

        return play(
            self._scenario, open_source(os.environ), policies, range(1, runs + 1), settings=self._settings, done=done
        )

    def _name(self, seed: int) -> str:
        return f"agent {seed}"
