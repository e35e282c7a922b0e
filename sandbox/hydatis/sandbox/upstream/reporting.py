"""Turns what the tests said into a JSON document and a table."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hydatis.sandbox.upstream.plan import Plan
from hydatis.sandbox.upstream.suite import Result, kubernetes_version

_PREFIX = "[sig-scheduling] "


def report(plan: Plan, results: Sequence[Result], seconds: float) -> dict[str, Any]:
    """Return the document that `--json` writes."""
    return {
        "scheduler": plan.scheduler.value,
        "naming": plan.naming.value,
        "nodes": plan.nodes,
        "seed": plan.seed,
        "rigs": plan.rigs,
        "seconds": round(seconds, 1),
        "versions": {"hydatis": importlib.metadata.version("hydatis"), "kubernetes": kubernetes_version()},
        "tests": len(results),
        "passed": sum(result.passed for result in results),
        "results": [
            {
                "test": result.test,
                "state": result.state,
                "seconds": round(result.seconds, 1),
                "message": result.message,
                "location": result.location,
            }
            for result in results
        ],
    }


def line(result: Result) -> str:
    """One line about a test that started or ended."""
    if result.state == "started":
        return f"started: {short(result.test)}"
    return f"{result.state} after {result.seconds:.0f} s: {short(result.test)}"


def short(test: str) -> str:
    """The test's name without what all of them have in common."""
    return test.removeprefix(_PREFIX)


def print_report(document: Mapping[str, Any], console: Console) -> None:
    """Show what a person wants to know."""
    title = Text(f"Kubernetes {document['versions']['kubernetes']} [sig-scheduling]")
    table = Table(title=title, title_justify="left")
    table.add_column("test", overflow="fold")
    table.add_column("result")
    table.add_column("seconds", justify="right")
    for result in document["results"]:
        style = "green" if result["state"] == "passed" else "bold red"
        table.add_row(Text(short(result["test"])), Text(result["state"], style), f"{result['seconds']:.0f}")
    console.print(table)
    for result in document["results"]:
        if result["state"] != "passed":
            console.rule(Text(short(result["test"])))
            console.print(result["message"], markup=False, highlight=False)
            console.print(result["location"], markup=False, highlight=False)
    console.print(
        f"{document['scheduler']} as {document['naming']}, {document['nodes']} nodes, seed {document['seed']}: "
        f"{document['passed']} of {document['tests']} passed in {document['seconds']:.0f} s",
        markup=False,
        highlight=False,
    )
