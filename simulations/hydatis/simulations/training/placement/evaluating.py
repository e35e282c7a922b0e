"""Measures trained agents: as the served model, in the simulator, beside the policies that there are without it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.simulations.baselines.ensembles import ensemble_policy, onnx_model
from hydatis.simulations.baselines.policies import POLICIES, PolicyMaker
from hydatis.simulations.intervals import Interval, interval_of, paired_difference, paired_ratio
from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.sweeps.one_run import profile_made
from hydatis.simulations.training.placement.settings import SETTINGS
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.pool import Source
from hydatis.simulations.virtual_time.running import run
from hydatis.simulations.virtual_time.scenario import Scenario

MEASURES = (
    "node_minutes_above_80",
    "node_minutes_above_90",
    "cpu_p99_percent",
    "throttled_core_hours",
    "success_percent",
)
"""What is told of every policy; the first is what agents are judged by."""
BASELINES = ("TargetLoadPacking", "KubeScheduler", "ExpectedOverload")
REFERENCE = BASELINES[0]
"""The best heuristic of those that a cluster can have today."""
CLOSED_FORM = "ExpectedOverload"
HALVES = "half closed form"
"""What an agent's name ends with where it counts for one half, the closed form for the other."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run."""

    setting: str
    policy: str
    seed: int
    measures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """A policy over all seeds of a setting, with 95 % intervals."""

    setting: str
    policy: str
    seeds: int
    measures: Mapping[str, Interval]
    against_reference: Interval | None
    """Its node-minutes above 80 % over those of `REFERENCE`, seed by seed; None where that may have none."""
    against_closed_form: Interval | None
    """The same over those of the closed form."""
    more_than_closed_form: Interval
    """Its node-minutes above 80 % less those of the closed form, in percentage points."""


def agent_policies(agents: Mapping[str, bytes]) -> dict[str, PolicyMaker]:
    """Return two policies for each agent, given as ONNX by its name: it alone, and averaged with the closed form.

    Raises:
        SimulationError: a cluster would refuse the model.

    """
    found = {}
    for name, data in agents.items():
        model: dict[str, Model] = {"agent": onnx_model(data, ModelKind.PLACEMENT, "agent")}
        alone = EnsembleWeights(placement=1, placement_model="agent")
        halves = EnsembleWeights(expected_overload=1, placement=1, placement_model="agent")
        found[name] = ensemble_policy(alone, model)
        found[f"{name}, {HALVES}"] = ensemble_policy(halves, model)
    return found


def play(
    scenario: Scenario,
    source: Source,
    policies: Mapping[str, PolicyMaker],
    seeds: Sequence[int],
    *,
    settings: Sequence[str] = tuple(SETTINGS),
    done: Callable[[Played], None] = lambda played: None,
) -> list[Played]:
    """Play every policy with every seed in every setting, seed by seed; `done` is told of every run.

    Raises:
        SimulationError: a workload cannot be drawn.

    """
    found = []
    for setting in settings:
        changed = SETTINGS[setting](scenario)
        open_nodes = Machines(changed.nodes).untainted
        for seed in seeds:
            workload = draw_workload(changed, source, seed)
            for name, policy in policies.items():
                record = run(changed, workload, profile_made(policy, workload, seed), seed)
                measures = measure_run(record, open_nodes=open_nodes)
                found.append(Played(setting, name, seed, {each: measures[each] for each in MEASURES}))
                done(found[-1])
    return found


def results_of(runs: Sequence[Played]) -> list[PolicyResult]:
    """Put the runs together, policy by policy. The reference and the closed form are among them."""
    found = []
    for setting in dict.fromkeys(each.setting for each in runs):
        of_setting = [each for each in runs if each.setting == setting]
        reference, closed_form = (_judged(of_setting, name) for name in (REFERENCE, CLOSED_FORM))
        for policy in dict.fromkeys(each.policy for each in of_setting):
            own = [each for each in of_setting if each.policy == policy]
            judged = _judged(of_setting, policy)
            found.append(
                PolicyResult(
                    setting,
                    policy,
                    len(own),
                    {name: interval_of([each.measures[name] for each in own]) for name in MEASURES},
                    paired_ratio(judged, reference),
                    paired_ratio(judged, closed_form),
                    paired_difference(judged, closed_form),
                )
            )
    return found


def baselines() -> dict[str, PolicyMaker]:
    """Return the policies that agents are compared with."""
    return {name: POLICIES[name] for name in BASELINES}


def document_of(results: Sequence[PolicyResult], runs: Sequence[Played]) -> dict[str, object]:
    """Return all of it as JSON has it."""
    return {"results": [asdict(result) for result in results], "runs": [asdict(each) for each in runs]}


def _judged(runs: Sequence[Played], policy: str) -> list[float]:
    """Return the first measure, by seed."""
    of_policy = sorted((each for each in runs if each.policy == policy), key=lambda each: each.seed)
    return [each.measures[MEASURES[0]] for each in of_policy]
