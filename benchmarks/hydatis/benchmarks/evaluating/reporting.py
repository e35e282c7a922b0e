"""The table of an evaluation: what a reader wants first."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table

from hydatis.simulations.evaluating.placement import JUDGED_BY

SHOWN: Mapping[str, str] = MappingProxyType(
    {
        JUDGED_BY: "above 80 %",
        "node_minutes_above_90": "above 90 %",
        "cpu_p99_percent": "p99 CPU",
        "throttled_core_hours": "throttled",
        "cpu_mean_percent": "mean CPU",
    }
)
"""Measures, by what stands above their columns: short enough for 120 characters with the names of policies whole."""


def print_placement(document: Mapping[str, Any], console: Console) -> None:
    """Print the placement section: a row a policy, the ensemble's lead beside it."""
    table = Table(title=f"{document['scenario']}, {document['part']} part, {len(document['seeds'])} seeds, means")
    table.add_column("policy", no_wrap=True)
    for title in SHOWN.values():
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("ensemble less by, %", justify="right", no_wrap=True)
    for policy, outcomes in document["outcomes"].items():
        less = document["against"].get(policy, {}).get("less_percent")
        lead = "" if less is None else f"{less['mean']:.0f} ({less['low']:.0f} to {less['high']:.0f})"
        table.add_row(policy, *(f"{outcomes[name]['mean']:.2f}" for name in SHOWN), lead)
    console.print(table)
    gap = document["gap_closed"]
    closed = "no gap" if gap is None else f"{gap:.0f} %"
    low_high = "" if gap is None else f" ({document['gap_closed_low']:.0f} to {document['gap_closed_high']:.0f})"
    console.print(f"Of the gap from {document['best_heuristic']} to the bound the ensemble closes {closed}{low_high}.")
