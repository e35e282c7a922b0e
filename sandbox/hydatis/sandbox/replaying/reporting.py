"""Turns what a replay found into a JSON document and a table."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hydatis.sandbox.bundled import tool_module
from hydatis.sandbox.own_programs import kubernetes_version_of
from hydatis.sandbox.replaying.comparing import Agreement, Reason
from hydatis.sandbox.replaying.fill import Outcome
from hydatis.sandbox.replaying.following import Decision
from hydatis.sandbox.replaying.running import Replayed

_SHOWN = 10

_MEASURES = {
    "bound": "pods ever bound",
    "refused": "pods refused at some time",
    "waiting": "pods waiting at the end",
    "nodes_used": "nodes with pods at the end",
    "cpu_requested_percent": "CPU requested at the end, %",
    "cpu_spread_points": "its spread over nodes, points",
    "memory_spread_points": "spread of memory, points",
    "mean_cpu_spread_points": "spread of CPU, mean over steps",
    "mean_memory_spread_points": "spread of memory, mean over steps",
}


def report(replayed: Replayed) -> dict[str, Any]:
    """Return the document that `--json` writes."""
    history, decisions = replayed.history, replayed.played.decisions
    comparisons = [decision.comparison for decision in decisions]
    agreements = Counter(comparison.agreement for comparison in comparisons)
    reasons = Counter(comparison.reason for comparison in comparisons if comparison.reason is not None)
    comes = sum(step.comes for step in history.steps)
    return {
        "scenario": history.scenario.name,
        "part": history.scenario.part.value,
        "source": replayed.source,
        "seed": replayed.plan.seed,
        "nodes": len(history.machines),
        "pods": len(history.pods),
        "steps": {"created": comes, "deleted": len(history.steps) - comes},
        "seconds": round(replayed.played.seconds, 1),
        "versions": {
            "hydatis": importlib.metadata.version("hydatis"),
            "kube_scheduler": kubernetes_version_of(tool_module()),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "decisions": {
            "all": len(decisions),
            **{agreement.name.lower(): agreements[agreement] for agreement in Agreement},
        },
        "same_node_expected": round(expected_on_the_same_node(decisions), 1),
        "scores": {
            "compared": sum(comparison.scores_compared for comparison in comparisons),
            "different": sum(comparison.scores_different for comparison in comparisons),
        },
        "reasons": {reason.value: reasons[reason] for reason in Reason if reasons[reason]},
        "disagreements": sum(is_a_disagreement(decision) for decision in decisions),
        "differences": [as_json(decision) for decision in decisions if decision.comparison.reason is not None],
        "simulated_runs": len(replayed.simulated),
        "outcomes": side_by_side(replayed.outcome, replayed.simulated, replayed.simulated_as_kube_scheduler),
    }


def is_a_disagreement(decision: Decision) -> bool:
    """Tell whether one side is wrong: the decisions differ for more than kube-scheduler's own liberties."""
    reason = decision.comparison.reason
    return reason is not None and not reason.is_a_liberty


def expected_on_the_same_node(decisions: Sequence[Decision]) -> float:
    """Return on how many decisions both would take the same node if each took any of the best with equal chance."""
    return sum(
        1.0 / decision.best
        for decision in decisions
        if decision.comparison.agreement in (Agreement.SAME_NODE, Agreement.SAME_SCORE)
    )


def as_json(decision: Decision) -> dict[str, Any]:
    """Return a decision for the report."""
    comparison = decision.comparison
    return {
        "pod": decision.pod,
        "agreement": comparison.agreement.value,
        "kube_scheduler": decision.kube_scheduler,
        "simulation": decision.simulation,
        "reason": None if comparison.reason is None else comparison.reason.value,
        "details": list(comparison.details),
    }


def side_by_side(real: Outcome, simulated: Sequence[Outcome], its_way: Outcome) -> dict[str, Any]:
    """Return by measure what the real cluster came to, the simulation with ties to the first node and retries of all
    that wait, and the mean and range of the simulations as they are.
    """
    found = {}
    for measure, value in asdict(real).items():
        values = [float(getattr(outcome, measure)) for outcome in simulated]
        found[measure] = {
            "kube_scheduler": round(value, 2),
            "simulation_as_kube_scheduler": round(float(getattr(its_way, measure)), 2),
            "simulation": {
                "mean": round(float(np.mean(values)), 2),
                "low": round(min(values), 2),
                "high": round(max(values), 2),
            },
        }
    return found


def print_report(document: Mapping[str, Any], console: Console) -> None:
    """Show what a person wants to know."""
    decisions, scores = document["decisions"], document["scores"]
    table = Table(title="Decisions of kube-scheduler, and of the simulation on the same state")
    table.add_column("")
    table.add_column("decisions", justify="right")
    for agreement in Agreement:
        table.add_row(agreement.value, f"{decisions[agreement.name.lower()]:,}")
    console.print(table)
    console.print(
        f"{document['scenario']} (seed {document['seed']}, {document['source']}): {document['nodes']} nodes, "
        f"{document['steps']['created']:,} pods created, {document['steps']['deleted']:,} deleted, "
        f"{document['seconds']:.0f} s; kube-scheduler {document['versions']['kube_scheduler']}",
        highlight=False,
    )
    console.print(
        f"{scores['compared']:,} scores of single plugins on single nodes compared, {scores['different']:,} differ; "
        f"with ties by chance the same node is to be expected {document['same_node_expected']:.0f} times",
        highlight=False,
    )
    for reason, count in document["reasons"].items():
        console.print(f"{count:,} not the same: {reason}", highlight=False)
    outcomes = Table(
        title="Each by itself: the simulation once with ties to the first node and retries of all, and as it is "
        f"{document['simulated_runs']} times"
    )
    for name in ("", "kube-scheduler", "ties to the first", "simulation", "lowest", "highest"):
        outcomes.add_column(name, justify="right" if name else "left")
    for measure, text in _MEASURES.items():
        row = document["outcomes"][measure]
        simulation = row["simulation"]
        numbers = (
            row["kube_scheduler"],
            row["simulation_as_kube_scheduler"],
            simulation["mean"],
            simulation["low"],
            simulation["high"],
        )
        outcomes.add_row(text, *(f"{number:,.4g}" for number in numbers))
    console.print(outcomes)
    liberties = {reason.value for reason in Reason if reason.is_a_liberty}
    shown = [difference for difference in document["differences"] if difference["reason"] not in liberties]
    for difference in shown[:_SHOWN]:
        console.print(
            f"{difference['pod']}: {difference['reason']}; kube-scheduler: {difference['kube_scheduler']}, "
            f"simulation: {difference['simulation']}. {'; '.join(difference['details'])}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    if len(shown) > _SHOWN:
        console.print(f"and {len(shown) - _SHOWN} more; --json has them all", highlight=False)
