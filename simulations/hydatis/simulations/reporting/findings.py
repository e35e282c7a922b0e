"""What the main measures show, in sentences."""

from collections.abc import Sequence
from html import escape

from hydatis.simulations.comparing import LEAST_SEEDS, Difference, Verdict
from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.measures.measure import Measure, Subject
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.reporting.tables import number, signed_percent

MAIN_MEASURE = "node_minutes_above_80"
"""Policies are sorted by it."""
_TOLD = (MAIN_MEASURE, "pending_p99_seconds", "cost_usd_a_day")


def sorted_policies(study: Study) -> list[str]:
    """Return the policies, best first by the main measure, the bound before all."""
    found = study.comparison
    measure = BY_NAME[MAIN_MEASURE]

    def place(policy: str) -> tuple[bool, float]:
        interval = found.policies[policy].get(MAIN_MEASURE)
        return policy != found.bound, float("inf") if interval is None else measure.worse_by(interval.mean, 0)

    return sorted(study.runs, key=place)


def warnings(study: Study) -> list[str]:
    """Return what makes the results less sure."""
    texts = []
    if study.missing:
        texts.append(
            f"The sweep was interrupted: {len(study.missing)} runs are missing. What is here is right, but less sure."
        )
    if len(study.seeds) < LEAST_SEEDS:
        texts.append(
            f"With fewer than {LEAST_SEEDS} seeds no difference can be told from chance; 10 or more are advised."
        )
    return texts


def findings(study: Study) -> list[str]:
    """Return sentences (HTML) on the best policy by each main measure, bound and reference aside."""
    found = study.comparison
    rivals = [policy for policy in study.runs if policy not in {found.bound, found.reference}]
    return [sentence for name in _TOLD if (sentence := _finding(study, BY_NAME[name], rivals))]


def _finding(study: Study, measure: Measure, rivals: Sequence[str]) -> str:
    found, name = study.comparison, measure.name
    comparable = [
        policy
        for policy in rivals
        if name in found.differences[policy]
        and (measure.subject is not Subject.CAPACITY or found.equal_service[policy])
    ]
    if not comparable:
        return ""
    best = min(comparable, key=lambda policy: measure.worse_by(found.policies[policy][name].mean, 0))
    difference = found.differences[best][name]
    gap = found.gap_closed.get(best, {}).get(name)
    closed = "" if gap is None else f" It closes {gap.mean:.0f} % of the gap to {escape(str(found.bound))}."
    title, unit, reference = escape(measure.title), escape(measure.unit), escape(found.reference)
    mean, against = number(found.policies[best][name].mean), number(found.policies[found.reference][name].mean)
    if difference.verdict is not Verdict.BETTER:
        return (
            f"<b>{title}</b>: no policy is shown to be better than {reference} with {against} {unit}; the best of the "
            f"others is {escape(best)} with {mean}{_change(difference)}."
        )
    return (
        f"<b>{title}</b>: best is <b>{escape(best)}</b> with {mean} {unit}, better than {reference} with "
        f"{against}{_change(difference)}.{closed}"
    )


def _change(difference: Difference) -> str:
    if difference.ratio is None:
        return ""
    mean, low, high = (
        signed_percent(end - 1) for end in (difference.ratio.mean, difference.ratio.low, difference.ratio.high)
    )
    return f" ({mean}; 95 % interval {low} to {high})"
