"""Plays the ensemble against what clusters have today, on days and machines it was not trained on."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hydatis.scheduler.models.weights import digest_of
from hydatis.simulations.comparing import BOUND, Difference, compare, paired_values
from hydatis.simulations.evaluating.contenders import BY_CLASS, CLOSED_FORM, ENSEMBLE, KUBE_SCHEDULER, STANDARD, Models
from hydatis.simulations.intervals import Interval, paired_difference, paired_ratio, paired_share
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.one_run import play_job
from hydatis.simulations.sweeps.plan import Plan
from hydatis.simulations.sweeps.planning import jobs_of
from hydatis.simulations.sweeps.running import Done, RunMany, sweep
from hydatis.simulations.sweeps.summary import RunSummary

JUDGED_BY = "node_minutes_above_80"

_Runs = Mapping[str, Mapping[int, Mapping[str, float]]]
"""Measures by policy and seed."""


@dataclass(frozen=True, slots=True)
class Against:
    """The ensemble beside one policy, by node-minutes above 80 %."""

    less_percent: Interval | None
    """By how many percent it has fewer; None where the policy may have none."""
    difference: Interval
    """Its percentage less the policy's."""


@dataclass(frozen=True, slots=True)
class PlacementEvaluation:
    """What came of it."""

    scenario: str
    part: str
    seeds: tuple[int, ...]
    best_heuristic: str
    """Of `STANDARD` that serve as well as kube-scheduler, the one with the fewest node-minutes above 80 %."""
    best_by_class: str
    """Of `BY_CLASS`, likewise."""
    against: Mapping[str, Against]
    """The ensemble against each other policy, the ablations included."""
    gap_closed: Interval | None
    """Percent of the way from the best heuristic to the bound; None where there is no way."""
    outcomes: Mapping[str, Mapping[str, Interval]]
    """Every measure of every policy."""
    against_kube_scheduler: Mapping[str, Difference]
    """The ensemble's measures beside those of kube-scheduler's default."""

    def document(self) -> dict[str, object]:
        """Return it as JSON has it."""
        gap = self.gap_closed
        return {
            "scenario": self.scenario,
            "part": self.part,
            "seeds": list(self.seeds),
            "judged_by": JUDGED_BY,
            "best_heuristic": self.best_heuristic,
            "best_by_class": self.best_by_class,
            "gap_closed": None if gap is None else gap.mean,
            "gap_closed_low": None if gap is None else gap.low,
            "gap_closed_high": None if gap is None else gap.high,
            "against": {
                name: {"less_percent": _ends(each.less_percent), "difference": _ends(each.difference)}
                for name, each in self.against.items()
            },
            "outcomes": {
                policy: {name: _ends(interval) for name, interval in measures.items()}
                for policy, measures in self.outcomes.items()
            },
            "against_kube_scheduler": {
                name: {"difference": _ends(each.difference), "verdict": str(each.verdict)}
                for name, each in self.against_kube_scheduler.items()
            },
        }


def contenders_of(models: Models) -> tuple[str, ...]:
    """Return the names of all policies that are played."""
    return (KUBE_SCHEDULER, *STANDARD, *BY_CLASS, CLOSED_FORM, *models.policies(), BOUND)


def evaluate_placement(
    models: Models,
    seeds: Sequence[int],
    run_many: RunMany,
    *,
    scenario: str = "study",
    assumptions: Mapping[str, str] | None = None,
    kept: KeptRuns | None = None,
    done: Done = lambda summary, was_kept: None,
) -> PlacementEvaluation:
    """Play every contender with every seed.

    Raises:
        SimulationError: the scenario is unknown, a workload cannot be drawn, or a cluster would refuse a model.
        KeyboardInterrupt: it was interrupted before all runs were done; `kept` has those that were.

    """
    changes = dict(assumptions or {})
    plan = Plan((scenario,), contenders_of(models), seeds, {name: (text,) for name, text in changes.items()})
    jobs = [_known_by_models(job, models) for job in jobs_of(plan)]
    swept = sweep(jobs, functools.partial(_play, models=models), run_many, kept, done)
    if swept.missing:
        raise KeyboardInterrupt
    part = str(jobs[0].configuration["part"])
    return evaluation_of(swept.runs, scenario, part, tuple(seeds))


def evaluation_of(
    summaries: Sequence[RunSummary], scenario: str, part: str, seeds: tuple[int, ...]
) -> PlacementEvaluation:
    """Compare runs that are there, of the same seeds for all policies."""
    runs: dict[str, dict[int, Mapping[str, float]]] = {}
    for summary in summaries:
        runs.setdefault(summary.job.policy, {})[summary.job.seed] = summary.measures
    comparison = compare(runs, KUBE_SCHEDULER)
    serving = [name for name in STANDARD if name in runs and comparison.equal_service[name]]
    best = _least(comparison.policies, serving or [KUBE_SCHEDULER])
    values, start, end = paired_values(JUDGED_BY, runs[ENSEMBLE], runs[best], runs[BOUND])
    gap = paired_share(values, start, end)
    return PlacementEvaluation(
        scenario=scenario,
        part=part,
        seeds=seeds,
        best_heuristic=best,
        best_by_class=_least(comparison.policies, [name for name in BY_CLASS if name in runs] or [KUBE_SCHEDULER]),
        against={name: _against(runs, name) for name in runs if name != ENSEMBLE},
        gap_closed=None if gap is None else _times(gap, 100.0),
        outcomes=comparison.policies,
        against_kube_scheduler=comparison.differences[ENSEMBLE],
    )


def _known_by_models(job: Job, models: Models) -> Job:
    """Let what is kept of an ensemble be for its weights and its models alone."""
    if job.policy not in models.policies():
        return job
    weights = models.policies()[job.policy]
    told = {part.model: digest_of(models.onnx[part.model]) for part in weights.needed()}
    return replace(job, configuration={**job.configuration, "ensemble": str(weights), "models": told})


def _play(job: Job, *, models: Models) -> RunSummary:
    return play_job(job, models.maker(job.policy))


def _against(runs: _Runs, other: str) -> Against:
    values, reference = paired_values(JUDGED_BY, runs[ENSEMBLE], runs[other])
    ratio = paired_ratio(values, reference)
    less = None if ratio is None else Interval(*(100.0 * (1.0 - x) for x in (ratio.mean, ratio.high, ratio.low)))
    return Against(less, paired_difference(values, reference))


def _least(outcomes: Mapping[str, Mapping[str, Interval]], names: Sequence[str]) -> str:
    return min(names, key=lambda name: outcomes[name][JUDGED_BY].mean)


def _times(interval: Interval, factor: float) -> Interval:
    return Interval(factor * interval.mean, factor * interval.low, factor * interval.high)


def _ends(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else {"mean": interval.mean, "low": interval.low, "high": interval.high}
