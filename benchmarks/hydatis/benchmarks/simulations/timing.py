"""Times single runs of simulations: the static protocol, and clusters in virtual time.

Called by the command. Drawing the workload is not timed: it is done once for all policies. Time is that of the one
thread that runs, not of the clock on the wall, so that other programs on the machine do not count.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydatis.benchmarks.errors import BenchError
from hydatis.simulations.baselines.policies import POLICIES, SHARING_GPUS
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.static_packing import scenario as static
from hydatis.simulations.sweeps.one_run import profile_of
from hydatis.simulations.traces.errors import TraceError
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.sources import open_source

Tell = Callable[[str], None]
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured."""

    scenarios: Sequence[str]
    """Names of the catalogue, or `fgd-static`."""
    policies: Sequence[str]
    hours: float | None
    """Virtual time after which runs are cut short; None: they run to their end."""
    repeats: int
    seed: int

    def check(self) -> None:
        """Find out before the first run that a name is wrong. Raises `BenchError`."""
        unknown = [policy for policy in self.policies if policy not in POLICIES]
        if unknown:
            raise BenchError(f"--policy {unknown[0]} is unknown; choose from {', '.join(POLICIES)}.")
        try:
            for name in self.scenarios:
                if name != static.NAME:
                    scenario_named(name)
        except SimulationError as error:
            raise BenchError(f"--scenario {name}: {error}") from error


def measure(wanted: Wanted, tell: Tell) -> list[dict[str, Any]]:
    """Return one entry for each scenario and policy, in order.

    Raises:
        BenchError: a workload cannot be drawn or a trace not be read.

    """
    try:
        return [entry for name in wanted.scenarios for entry in _measured(name, wanted, tell)]
    except (SimulationError, TraceError) as error:
        raise BenchError(str(error)) from error


def _measured(name: str, wanted: Wanted, tell: Tell) -> Iterator[dict[str, Any]]:
    if name == static.NAME:
        yield from _static(wanted, tell)
        return
    scenario = scenario_named(name)
    if wanted.hours is not None:
        length = min(wanted.hours * _HOUR_SECONDS, scenario.length_seconds)
        scenario = replace(scenario, length_seconds=length)
    workload = draw_workload(scenario, open_source(), wanted.seed)
    cluster = {
        "scenario": name,
        "nodes": scenario.node_count,
        "pods": len(workload),
        "virtual_hours": scenario.length_seconds / _HOUR_SECONDS,
    }
    for policy in wanted.policies:

        def play(policy: str = policy) -> int:
            return run(scenario, workload, profile_of(policy, workload, wanted.seed), wanted.seed).decisions

        yield {**cluster, "policy": policy, **_timed(play, wanted.repeats, f"{name}, {policy}", tell)}


def _static(wanted: Wanted, tell: Tell) -> Iterator[dict[str, Any]]:
    workload = static.load(None)
    typical = TypicalPods.of(workload.pods)
    for policy in wanted.policies:
        if policy not in SHARING_GPUS:
            tell(f"{static.NAME}, {policy}: left out, the policy does not share GPUs")
            continue

        def pack(policy: str = policy) -> int:
            packing = static.run_once(workload, policy, wanted.seed, typical)
            return packing.placed + packing.dropped

        timed = _timed(pack, wanted.repeats, f"{static.NAME}, {policy}", tell)
        cluster = {
            "scenario": static.NAME,
            "nodes": len(workload.nodes),
            "pods": timed["decisions"],
            "virtual_hours": 0.0,
        }
        yield {**cluster, "policy": policy, **timed}


def _timed(work: Callable[[], int], repeats: int, label: str, tell: Tell) -> dict[str, Any]:
    """Describe runs by the fastest: what others do to the machine only ever slows a run down. `work` returns how many
    decisions it made.
    """
    runs = []
    for _ in range(repeats):
        started = time.thread_time()
        decisions = work()
        runs.append((time.thread_time() - started, decisions))
    seconds, decisions = min(runs)
    tell(f"{label}: {seconds:.1f} s, {decisions / seconds:,.0f} decisions a second")
    return {
        "decisions": decisions,
        "seconds_a_run": round(seconds, 2),
        "decisions_a_second": round(decisions / seconds),
        "runs_seconds": [round(one, 2) for one, _ in runs],
    }
