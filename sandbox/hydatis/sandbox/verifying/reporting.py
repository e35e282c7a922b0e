"""Turns what a verification found into a JSON document and a table."""

import importlib.metadata
import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from hydatis.sandbox.verifying.judging import filter_names, score_names
from hydatis.sandbox.verifying.oracle import kubernetes_version
from hydatis.sandbox.verifying.running import Plan
from hydatis.sandbox.verifying.session import Disagreement, Outcome
from hydatis.scheduler.profile import Profile

_SHOWN = 5
_VERDICTS = ("pass", "reject", "score")


def report(plan: Plan, profile: Profile, outcome: Outcome, seconds: float) -> dict[str, Any]:
    """Return the document that `--json` writes."""
    tally = outcome.tally
    return {
        "cases": tally.cases,
        "seed": plan.seed,
        "jobs": plan.jobs,
        "strategy": plan.strategy,
        "seconds": round(seconds, 1),
        "versions": {
            "hydatis": importlib.metadata.version("hydatis"),
            "kube_scheduler": kubernetes_version(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "disagreeing_cases": tally.disagreeing,
        "disagreements": [disagreement.as_json() for disagreement in outcome.disagreements],
        "differences": {
            f"{part} {plugin}".strip(): count for (part, plugin), count in sorted(tally.differences.items())
        },
        "agreement": agreement(profile, outcome),
        "outcomes": dict(sorted(tally.outcomes.items())),
        "untested": list(tally.untested(profile)),
    }


def agreement(profile: Profile, outcome: Outcome) -> dict[str, dict[str, int]]:
    """Return plugin to verdict to the number of nodes on which both schedulers said the same."""
    verdicts = outcome.tally.verdicts
    by_plugin: dict[str, dict[str, int]] = {}
    for name in filter_names(profile):
        by_plugin[name] = {verdict: verdicts[name, verdict] for verdict in ("pass", "reject")}
    for name in score_names(profile):
        by_plugin.setdefault(name, {})["score"] = verdicts[name, "score"]
    if profile.preemption is not None:
        name = profile.preemption.name
        by_plugin[name] = {verdict: verdicts[name, verdict] for verdict in ("pass", "reject")}
    return by_plugin


def print_report(document: Mapping[str, Any], console: Console) -> None:
    """Show what a person wants to know."""
    table = Table(title=f"Nodes on which HYDATIS and kube-scheduler {document['versions']['kube_scheduler']} agree")
    table.add_column("plugin")
    for verdict in _VERDICTS:
        table.add_column(verdict, justify="right")
    for plugin, verdicts in document["agreement"].items():
        table.add_row(plugin, *(f"{verdicts[v]:,}" if v in verdicts else "" for v in _VERDICTS))
    console.print(table)
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', ' ')}" for outcome, count in document["outcomes"].items())
    console.print(
        f"{document['cases']:,} cases, seed {document['seed']}, {document['seconds']:.0f} s: "
        f"{document['disagreeing_cases']:,} disagree ({outcomes})",
        highlight=False,
    )
    for sentence in document["untested"]:
        console.print(f"not put to the test: {sentence}", highlight=False)


def print_disagreements(disagreements: list[Disagreement], console: Console) -> None:
    """Show a few small cases in full."""
    for disagreement in disagreements[:_SHOWN]:
        console.rule(f"cluster {disagreement.cluster}, candidate {disagreement.candidate}, shrunk")
        for difference in disagreement.differences:
            where = " ".join(filter(None, (difference.part, difference.plugin, difference.node)))
            console.print(
                f"{where}: HYDATIS {difference.ours!r}, kube-scheduler {difference.theirs!r}",
                highlight=False,
                markup=False,
            )
        console.print_json(data=disagreement.as_json()["case"])
    if len(disagreements) > _SHOWN:
        console.print(f"and {len(disagreements) - _SHOWN} more kinds; --json has them all", highlight=False)
