"""Policies compared by their measures over the same seeds: means, differences to a reference, regret, gap closed.

Called once all runs are there (or those that are, after an interruption). A comparison of two policies uses the seeds
that both have; a seed in which a measure has no value (the waiting time of no pods) is left out for both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hydatis.simulations.intervals import Interval, interval_of, paired_difference, paired_ratio, paired_share
from hydatis.simulations.measures.catalogue import BY_NAME, MEASURES
from hydatis.simulations.measures.measure import Measure

REFERENCE = "KubeScheduler"
"""What a cluster has today: differences are told against it unless another is asked for."""
BOUND = "Clairvoyant"
"""Sees the future use; regret is the distance to its run with the same seed."""
EQUAL_SERVICE_POINTS = 0.5
"""Policies whose success differs from the reference's by no more serve as well: else nodes and cost do not compare."""

LEAST_SEEDS = 6
"""With fewer pairs, values that favour one side by pure chance do so in all of them more often than 1 time in 20."""

Runs = Mapping[int, Mapping[str, float]]
"""Measures of one policy by seed."""


class Verdict(StrEnum):
    """What a paired interval shows."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "no difference shown"


@dataclass(frozen=True, slots=True)
class Difference:
    """A policy against the reference, in one measure."""

    difference: Interval
    """Policy minus reference."""
    ratio: Interval | None
    """Policy over reference; None where the reference may be 0."""
    verdict: Verdict
    """Better or worse where there are seeds enough and the interval of the difference leaves 0 out."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the runs say. Every mapping goes by policy, then by measure; measures without any value are left out."""

    reference: str
    bound: str | None
    """None when the runs have no clairvoyant policy."""
    seeds: Mapping[str, tuple[int, ...]]
    """By policy."""
    policies: Mapping[str, Mapping[str, Interval]]
    differences: Mapping[str, Mapping[str, Difference]]
    """Of every policy but the reference."""
    regret: Mapping[str, Mapping[str, Interval]]
    """By how much the policy is worse than the bound with the same seed; empty without a bound."""
    gap_closed: Mapping[str, Mapping[str, Interval]]
    """Share of the way from the reference to the bound, in percent: 0 is the reference, 100 the bound; left out where
    the bound is not better than the reference whichever seeds are drawn.
    """
    best: Mapping[str, tuple[str, ...]]
    """By measure: the policy with the best mean (the bound aside) and those not shown to be worse than it."""
    equal_service: Mapping[str, bool]
    """By policy: whether its success is the reference's, so that nodes used and cost can be compared."""


def compare(runs: Mapping[str, Runs], reference: str, bound: str = BOUND) -> Comparison:
    """Compare policies; each has at least one run, and the reference is one of them."""
    others = [policy for policy in runs if policy != reference]
    has_bound = bound in runs
    return Comparison(
        reference=reference,
        bound=bound if has_bound else None,
        seeds={policy: tuple(sorted(of)) for policy, of in runs.items()},
        policies={policy: _means(of) for policy, of in runs.items()},
        differences={policy: _differences(runs[policy], runs[reference]) for policy in others},
        regret={policy: _regret(runs[policy], runs[bound]) for policy in runs if policy != bound} if has_bound else {},
        gap_closed={
            policy: _gap_closed(runs[policy], runs[reference], runs[bound]) for policy in others if policy != bound
        }
        if has_bound and bound != reference
        else {},
        best=_best({policy: of for policy, of in runs.items() if policy != bound} or runs),
        equal_service={policy: _equal_service(of, runs[reference]) for policy, of in runs.items()},
    )


def paired_values(measure: str, *several: Runs) -> list[list[float]]:
    """Return the measure's values of several policies over the seeds in which all of them have one."""
    seeds = sorted(set.intersection(*(set(runs) for runs in several)))
    rows = [[runs[seed].get(measure, np.nan) for runs in several] for seed in seeds]
    whole = [row for row in rows if not np.isnan(row).any()]
    return [list(column) for column in zip(*whole, strict=True)] or [[] for _ in several]


def _means(runs: Runs) -> dict[str, Interval]:
    found = {}
    for measure in BY_NAME:
        (values,) = paired_values(measure, runs)
        if values:
            found[measure] = interval_of(values)
    return found


def _differences(runs: Runs, reference: Runs) -> dict[str, Difference]:
    found = {}
    for measure in MEASURES:
        values, against = paired_values(measure.name, runs, reference)
        if values:
            difference = paired_difference(values, against)
            verdict = _verdict(measure, difference, len(values))
            found[measure.name] = Difference(difference, paired_ratio(values, against), verdict)
    return found


def _verdict(measure: Measure, difference: Interval, seeds: int) -> Verdict:
    if seeds < LEAST_SEEDS:
        return Verdict.OPEN
    worse = sorted(measure.worse_by(end, 0) for end in (difference.low, difference.high))
    if worse[0] > 0:
        return Verdict.WORSE
    return Verdict.BETTER if worse[1] < 0 else Verdict.OPEN


def _regret(runs: Runs, bound: Runs) -> dict[str, Interval]:
    found = {}
    for measure in MEASURES:
        values, best = paired_values(measure.name, runs, bound)
        if values:
            regrets = [measure.worse_by(value, than) for value, than in zip(values, best, strict=True)]
            found[measure.name] = interval_of(regrets)
    return found


def _gap_closed(runs: Runs, reference: Runs, bound: Runs) -> dict[str, Interval]:
    found = {}
    for measure in MEASURES:
        values, start, end = paired_values(measure.name, runs, reference, bound)
        if not values or measure.worse_by(float(np.mean(end)), float(np.mean(start))) >= 0:
            continue
        share = paired_share(values, start, end)
        if share is not None:
            found[measure.name] = Interval(100 * share.mean, 100 * share.low, 100 * share.high)
    return found


def _best(runs: Mapping[str, Runs]) -> dict[str, tuple[str, ...]]:
    found = {}
    for measure in MEASURES:
        means = {policy: np.mean(values) for policy in runs if (values := paired_values(measure.name, runs[policy])[0])}
        if means:
            first = min(means, key=lambda policy: measure.worse_by(float(means[policy]), 0))
            found[measure.name] = (first, *_not_worse(measure, runs, means, first))
    return found


def _not_worse(measure: Measure, runs: Mapping[str, Runs], policies: Iterable[str], first: str) -> list[str]:
    """Return the policies, the first aside, that the seeds do not show to be worse than it."""
    found = []
    for policy in policies:
        values, best = paired_values(measure.name, runs[policy], runs[first])
        if policy == first or not values:
            continue
        if _verdict(measure, paired_difference(values, best), len(values)) is not Verdict.WORSE:
            found.append(policy)
    return found


def _equal_service(runs: Runs, reference: Runs) -> bool:
    values, against = paired_values("success_percent", runs, reference)
    return bool(values) and abs(float(np.mean(values) - np.mean(against))) <= EQUAL_SERVICE_POINTS
