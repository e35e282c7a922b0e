"""One replay from beginning to end: the workload is drawn, simulated, and played on a control plane of its own.

Called by the command. Whatever happens, no process and no file outlives `run`.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.replaying.as_kube_scheduler import simulate_as_kube_scheduler
from hydatis.sandbox.replaying.fill import Outcome
from hydatis.sandbox.replaying.free_running import simulate
from hydatis.sandbox.replaying.history import History, check_scenario
from hydatis.sandbox.replaying.playing import COMPONENTS, Played, play
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.sources import open_source

FREE_RUNS = 20
"""Simulations by themselves, which differ by how ties fall."""
_TOLD_EVERY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is replayed."""

    scenario: str
    pods: int
    seed: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was seen."""

    plan: Plan
    history: History
    source: str
    """Where the workload is from."""
    simulated: tuple[Outcome, ...]
    """By itself, one for each way in which ties may fall."""
    simulated_as_kube_scheduler: Outcome
    """With kube-scheduler's way with ties and with pods that wait."""
    played: Played
    outcome: Outcome
    """Of the real cluster."""


def run(plan: Plan, progress: Callable[[str], None]) -> Replayed:
    """Replay.

    Raises:
        SimulationError: there is no such scenario, or its workload cannot be drawn.
        TraceError: HYDATIS_DATA is set and a trace cannot be read.
        ReplayError: the scenario cannot be replayed, or kube-scheduler failed.
        SandboxError: a program could not be built or started.

    """
    scenario = scenario_named(plan.scenario)
    check_scenario(scenario)
    progress(f"drawing the pods of {scenario.name}")
    source = open_source()
    history = History(scenario, draw_workload(scenario, source, plan.seed), plan.pods)
    simulated = []
    for number in range(FREE_RUNS):
        progress(f"simulating by itself: run {number + 1} of {FREE_RUNS}")
        simulated.append(simulate(history, plan.seed + number).outcome())
    progress("simulating as kube-scheduler breaks ties and tries again")
    its_way = simulate_as_kube_scheduler(history, plan.seed).outcome()
    with (
        tempfile.TemporaryDirectory(prefix="hydatis-replay-") as directory,
        ControlPlane.start(Path(directory) / "controlplane", COMPONENTS, progress=progress) as control_plane,
    ):
        played = play(history, plan.seed, control_plane, _telling(progress))
    return Replayed(plan, history, source.name, tuple(simulated), its_way, played, played.fill.outcome())


def _telling(progress: Callable[[str], None]) -> Callable[[int, int], None]:
    last = 0.0

    def tell(step: int, steps: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _TOLD_EVERY_SECONDS:
            last = now
            progress(f"replaying: {step:,} of {steps:,} steps")

    return tell
