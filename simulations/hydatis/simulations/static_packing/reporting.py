"""Tells on the terminal what the packing reached. Called by `hydatis simulate`."""

from typing import Any

from rich.table import Table

from hydatis.simulations.console import plain_console


def print_packing(report: dict[str, Any]) -> None:
    """Print a row for each policy."""
    table = Table("policy", "GPUs allocated", "95 % interval", "published", "CPU", "dropped pods", "decisions/s")
    for policy, measures in report["policies"].items():
        gpu = measures["gpu_allocation_percent"]
        published = report["published"].get(policy, {}).get("gpu_allocation_percent")
        table.add_row(
            policy,
            f"{gpu['mean']:.2f} %",
            f"{gpu['low']:.2f} - {gpu['high']:.2f}",
            "-" if published is None else f"{published:.2f} ({gpu['mean'] - published:+.2f})",
            f"{measures['cpu_allocation_percent']['mean']:.1f} %",
            f"{measures['dropped']['mean']:.0f}",
            f"{report['speed'][policy]['decisions_a_second']:,}",
        )
    plain_console().print(table)
