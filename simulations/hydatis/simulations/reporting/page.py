"""The HTML report: one file that needs nothing beside it, neither scripts nor the network.

Called by `hydatis simulate --html`. What most readers want comes first: what was found, one table, the figures; the
rest (all measures, regret, definitions, configuration, every run with the command that repeats it) follows.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from hydatis.simulations.comparing import EQUAL_SERVICE_POINTS
from hydatis.simulations.measures.catalogue import MEASURES
from hydatis.simulations.measures.measure import Subject
from hydatis.simulations.reporting import figures, tables
from hydatis.simulations.reporting.findings import MAIN_MEASURE, findings, sorted_policies, warnings
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.reporting.style import STYLE

_AT_A_GLANCE = (
    MAIN_MEASURE,
    "cpu_p99_percent",
    "cpu_spread_points",
    "pending_p99_seconds",
    "success_percent",
    "nodes_used",
    "cost_usd_a_day",
)
_SERVICE_FIGURE = ("pending_p99_seconds", "success_percent", "restarts", "stretched_hours")
_COST_FIGURE = ("nodes_used", "cost_usd_a_day", "stranded_cpu_percent", "stranded_memory_percent")


def page_of(studies: Sequence[Study], command: str) -> str:
    """Return the whole page."""
    title = f"HYDATIS simulations: {', '.join(study.scenario for study in studies)}"
    contents = ""
    if len(studies) > 1:
        links = "".join(f'<li><a href="#s{at}">{escape(study.scenario)}</a></li>' for at, study in enumerate(studies))
        contents = f"<nav><ul>{links}</ul></nav>"
    body = "".join(f'<section id="s{at}">{_study(study)}</section>' for at, study in enumerate(studies))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><header><h1>Placement policies in virtual time</h1>"
        f"<p>Written by <code>{escape(command)}</code></p>{contents}</header><main>{body}"
        f'<section><h2 id="measures">What the measures are</h2>{tables.definitions_table()}</section>'
        f"</main></body></html>\n"
    )


def _study(study: Study) -> str:
    policies = sorted_policies(study)
    told = "".join(f"<li>{sentence}</li>" for sentence in findings(study))
    return "".join(
        (
            f'<h2>{escape(study.scenario)}</h2><p class="lead">{_lead(study)}</p>',
            *(f'<p class="warning">{escape(text)}</p>' for text in warnings(study)),
            f'<ul class="findings">{told}</ul>' if told else "",
            f"<h3>At a glance</h3>{tables.measures_table(study, policies, _AT_A_GLANCE)}{_legend(study)}",
            _figures(study, policies),
            _all_measures(study, policies),
            _against_bound(study, policies),
            _configuration(study, policies),
        )
    )


def _lead(study: Study) -> str:
    run, policies, seeds = study.first, len(study.runs), len(study.seeds)
    pods = sorted(run.pods for runs in study.runs.values() for run in runs)
    span = f"{pods[0]:,}" if pods[0] == pods[-1] else f"{pods[0]:,} to {pods[-1]:,}"
    hours = run.timeline.hours[-1] if run.timeline.hours else 0.0
    return (
        f"{policies} {'policy' if policies == 1 else 'policies'}, {seeds} {'seed' if seeds == 1 else 'seeds'} each; "
        f"{run.nodes:,} nodes, {span} pods; {hours:.0f} h, of which the first {run.timeline.measured_from_hours:.0f} "
        f"are warm-up and do not count."
    )


def _legend(study: Study) -> str:
    found = study.comparison
    aside = "" if found.bound is None else f", {escape(found.bound)} aside"
    return (
        f'<p class="legend"><span class="mark">★</span> best mean{aside}; <span class="mark">☆</span> not shown to be '
        f"worse than it. Small: 95 % interval over the seeds. Last line: change against {escape(found.reference)}, "
        f'seed by seed: <span class="change better">better</span>, <span class="change worse">worse</span>, '
        f'<span class="change open">not shown to differ</span>. ↓ lower is better, ↑ higher. ≠ success differs from '
        f"the reference's by more than {EQUAL_SERVICE_POINTS} points, so nodes and cost do not compare. "
        f'<a href="#measures">What the measures are</a></p>'
    )


def _figures(study: Study, policies: Sequence[str]) -> str:
    return "".join(
        (
            "<h3>CPU over time</h3>",
            _figure(
                "utilisation_over_time",
                figures.utilisation_over_time(study, policies),
                "Line: median over the nodes; band: 5th to 95th percentile; grey: the reference's 95th percentile; "
                "dashed: end of the warm-up. What pods want, so it may exceed 100 %. Means over the seeds.",
            ),
            "<h3>How CPU use is distributed</h3>",
            _figure(
                "utilisation_distribution",
                figures.utilisation_distribution(study, policies),
                "Node-minutes after the warm-up by the CPU that the node's pods want; red: above 80 %; black outline: "
                "the reference.",
            ),
            "<h3>Overload</h3>",
            _figure("overload", figures.overload(study, policies), "Whiskers: 95 % intervals. Bold: the reference."),
            "<h3>Waiting and overload over time</h3>",
            _figure("over_time_by_policy", figures.over_time_by_policy(study, policies), "Means over the seeds."),
            "<h3>Service</h3>",
            _figure("service", figures.intervals(study, policies, _SERVICE_FIGURE), "Dotted: the reference."),
            "<h3>Nodes and cost</h3>",
            _figure(
                "cost",
                figures.intervals(study, policies, _COST_FIGURE),
                "Dotted: the reference. Nodes and cost of policies compare only where success is the same.",
            ),
        )
    )


def _figure(name: str, svg: str, caption: str) -> str:
    """An image of its own, so that the names inside one SVG do not meet those of another."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img alt="{escape(figures.ALT_TEXTS[name])}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _all_measures(study: Study, policies: Sequence[str]) -> str:
    tables_by_subject = "".join(
        f"<h4>{subject}</h4>"
        + tables.measures_table(study, policies, [each.name for each in MEASURES if each.subject is subject])
        for subject in Subject
    )
    return f"<h3>All measures</h3>{tables_by_subject}"


def _against_bound(study: Study, policies: Sequence[str]) -> str:
    found = study.comparison
    if found.bound is None:
        return ""
    names = [measure.name for measure in MEASURES]
    bound, reference = escape(found.bound), escape(found.reference)
    text = (
        f"<h3>Regret</h3><p>By how much a policy is worse than {bound}, which sees the future use, with the same seed: "
        f"in the measure's unit; 0 is as good, below 0 is better.</p>"
        f"{tables.interval_table(found.regret, policies, names)}"
    )
    if any(found.gap_closed.values()):
        text += (
            f"<h3>Gap closed</h3><p>Percent of the way from {reference} to {bound}. A measure is left out where "
            f"{bound} is not better than {reference} whichever seeds are drawn.</p>"
            f"{tables.interval_table(found.gap_closed, policies, names)}"
        )
    return text


def _configuration(study: Study, policies: Sequence[str]) -> str:
    job = study.first.job
    whole: Mapping[str, Any] = {
        "scenario": job.scenario,
        "assumed otherwise": dict(job.assumptions),
        **job.configuration,
        "seeds": list(study.seeds),
        "reference": study.reference,
        "traces": job.data or "none: made up",
        "code": job.code,
    }
    count = sum(len(runs) for runs in study.runs.values())
    return (
        f"<h3>Configuration</h3><details><summary>The scenario and all that is assumed</summary>"
        f"<pre>{escape(json.dumps(whole, indent=2))}</pre></details>"
        f"<details><summary>All {count} runs, and how to repeat each</summary>"
        f"{tables.runs_table(study, policies)}</details>"
    )
