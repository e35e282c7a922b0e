"""The tables of the report, as HTML. Everything that is not made here is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from hydatis.simulations.comparing import LEAST_SEEDS, Difference, Verdict
from hydatis.simulations.intervals import Interval
from hydatis.simulations.measures.catalogue import BY_NAME, MEASURES
from hydatis.simulations.measures.measure import Direction, Measure
from hydatis.simulations.reporting.study import Study, command_of

_ARROWS = {Direction.LOWER: "↓", Direction.HIGHER: "↑"}
_SIGNIFICANT = 3
_THOUSAND = 1000.0
_NOTHING = "&ndash;"
_MARKS = {
    "best": '<span class="mark" title="best mean">★</span> ',
    "close": '<span class="mark" title="not shown to be worse than the best">☆</span> ',
    "": "",
}


def number(value: float) -> str:
    """Write three significant digits, thousands apart: 0.0123, 1.23, 12.3, 1,234."""
    if value == 0:
        return "0"
    if abs(value) >= _THOUSAND:
        return f"{value:,.0f}"
    text = f"{value:#.{_SIGNIFICANT}g}".rstrip(".")
    return text if "e" not in text else f"{value:.1e}"


def signed_percent(share: float) -> str:
    """Write a change in percent with its sign."""
    change = 100 * share
    return "±0 %" if abs(change) < 0.05 else f"{change:+.{1 if abs(change) < 10 else 0}f} %".replace("-", "&minus;")


def measures_table(study: Study, policies: Sequence[str], names: Sequence[str]) -> str:
    """A row for each policy, a column for each measure: mean, interval, change against the reference; best marked."""
    measures = [BY_NAME[name] for name in names if any(name in of for of in study.comparison.policies.values())]
    head = "".join(
        f'<th scope="col" title="{escape(each.definition)}">{escape(each.title)} '
        f'<span class="way" title="{each.better} is better">{_ARROWS[each.better]}</span>'
        f"<small>{escape(each.unit)}</small></th>"
        for each in measures
    )
    rows = "".join(_policy_row(study, policy, measures) for policy in policies)
    return (
        f'<div class="wide"><table><thead><tr><th scope="col">policy</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _policy_row(study: Study, policy: str, measures: Iterable[Measure]) -> str:
    found = study.comparison
    kind = "reference" if policy == found.reference else "bound" if policy == found.bound else ""
    note = f" <small>{kind}</small>" if kind else ""
    unequal = (
        "" if found.equal_service[policy] else ' <abbr title="serves more or fewer pods than the reference">≠</abbr>'
    )
    cells = "".join(_cell(study, policy, measure) for measure in measures)
    return f'<tr class="{kind}"><th scope="row">{escape(policy)}{unequal}{note}</th>{cells}</tr>'


def _cell(study: Study, policy: str, measure: Measure) -> str:
    found = study.comparison
    interval = found.policies[policy].get(measure.name)
    if interval is None:
        return f"<td>{_NOTHING}</td>"
    best = found.best.get(measure.name, ())
    kind = ""
    if policy in best[:1]:
        kind = "best"
    elif policy in best and len(study.seeds) >= LEAST_SEEDS:
        kind = "close"
    mark = _MARKS[kind]
    difference = found.differences.get(policy, {}).get(measure.name)
    change = "" if difference is None else _change(difference)
    return f'<td class="{kind}">{mark}<b>{number(interval.mean)}</b>{_bounds(interval)}{change}</td>'


def _bounds(interval: Interval) -> str:
    if interval.low == interval.high:
        return ""
    return f"<small>{number(interval.low)} &ndash; {number(interval.high)}</small>"


def _change(difference: Difference) -> str:
    """Against the reference: in percent where a ratio means something, else the difference itself."""
    if difference.ratio is not None:
        text = signed_percent(difference.ratio.mean - 1)
    else:
        mean = difference.difference.mean
        text = f"{'+' if mean > 0 else ''}{number(mean)}".replace("-", "&minus;") if mean else "±0"
    kind = {Verdict.BETTER: "better", Verdict.WORSE: "worse", Verdict.OPEN: "open"}[difference.verdict]
    return f'<span class="change {kind}" title="{difference.verdict} against the reference">{text}</span>'


def interval_table(
    by_policy: Mapping[str, Mapping[str, Interval]], policies: Sequence[str], names: Sequence[str]
) -> str:
    """A row for each policy, a column for each measure: mean and interval alone, as of regret or gap closed."""
    measures = [BY_NAME[name] for name in names if any(name in of for of in by_policy.values())]
    head = "".join(f'<th scope="col" title="{escape(each.definition)}">{escape(each.title)}</th>' for each in measures)
    rows = ""
    for policy in policies:
        if policy in by_policy:
            cells = (by_policy[policy].get(measure.name) for measure in measures)
            row = "".join(
                f"<td>{_NOTHING}</td>" if one is None else f"<td><b>{number(one.mean)}</b>{_bounds(one)}</td>"
                for one in cells
            )
            rows += f'<tr><th scope="row">{escape(policy)}</th>{row}</tr>'
    return (
        f'<div class="wide"><table><thead><tr><th scope="col">policy</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def definitions_table() -> str:
    """Every measure with unit, direction and definition."""
    rows = "".join(
        f'<tr><th scope="row">{escape(each.title)}</th><td><code>{each.name}</code></td><td>{escape(each.unit)}</td>'
        f"<td>{each.better}</td><td class='text'>{escape(each.definition)}</td></tr>"
        for each in MEASURES
    )
    head = "".join(f'<th scope="col">{title}</th>' for title in ("measure", "in JSON", "unit", "better", "what it is"))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def runs_table(study: Study, policies: Sequence[str]) -> str:
    """Every run with the command that repeats it."""
    rows = "".join(
        f'<tr id="run-{run.job.key[:12]}"><th scope="row">{escape(policy)}</th><td>{run.job.seed}</td>'
        f"<td>{run.nodes:,}</td><td>{run.pods:,}</td><td>{run.decisions:,}</td>"
        f"<td class='text'><code>{escape(command_of(run.job))}</code></td><td><code>{run.job.key[:12]}</code></td></tr>"
        for policy in policies
        for run in study.runs[policy]
    )
    titles = ("policy", "seed", "nodes", "pods", "decisions", "repeat it with", "key")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
