"""The end of the demo: what was placed where, why, how fast, as text and as JSON.

Called by the command with the outcome.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console

from hydatis.operator.errors import OperatorError
from hydatis.operator.explain_client import Place, fetch
from hydatis.operator.explain_text import pod_text
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.demo.node_fill import NodeFill, bar
from hydatis.sandbox.demo.performing import Outcome
from hydatis.sandbox.demo.scenario import NAMESPACE, UNSCHEDULABLE, Scenario
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.simulations.recounting import overcommitments

_LATENCY = "from a pod's first being seen without scheduling gates to its being seen bound, both by one watch"


def summary(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """Build the JSON document; its counts describe the end of the demo."""
    over = overcommitments(outcome.nodes, outcome.pods)
    pods = outcome.pods
    return {
        "pods": len(pods),
        "bound": sum(1 for pod in pods if pod["spec"].get("nodeName")),
        "unschedulable": sum(1 for pod in pods if _pod_scheduled_reason(pod) == "Unschedulable"),
        "gated": sum(1 for pod in pods if pod["spec"].get("schedulingGates")),
        "released": outcome.released,
        "running": sum(1 for pod in pods if pod.get("status", {}).get("phase") == "Running"),
        "nodes": len(outcome.nodes),
        "overcommitted_nodes": len({one.node for one in over}),
        "overcommitments": [str(one) for one in over],
        "latency_ms": _percentiles(outcome.latencies_ms),
        "latency_definition": _LATENCY,
        "seconds_to_bind": round(outcome.seconds_to_bind, 3),
        "events": dict(outcome.events),
        "left_out": scenario.left_out,
        "pods_by_node": {node: outcome.fill.pods(node) for node in outcome.fill.nodes},
        "broken_expectations": list(outcome.broken),
    }


def write_json(document: Mapping[str, Any], path: Path) -> None:
    """Write the document."""
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def print_report(
    document: Mapping[str, Any],
    outcome: Outcome,
    control_plane: ControlPlane,
    operator: OperatorProcess,
    console: Console,
) -> None:
    """Print placements, policy, the two pods' descriptions as kubectl gives them, one of the two explained, and the
    numbers.
    """
    _heading(console, "Placements: pods, CPU and memory requested of allocatable")
    for line in _placements(outcome.fill):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    _run_kubectl(console, control_plane, "get", "mlmodels")
    _run_kubectl(console, control_plane, "get", "mlsp")
    placed = _example(outcome.pods)
    for name in [*([placed] if placed else []), UNSCHEDULABLE]:
        _run_kubectl(console, control_plane, "describe", "pod", name, "--namespace", NAMESPACE)
    if placed:
        _explain(console, operator, placed)
    _heading(console, "Summary")
    for line in _numbers(document):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _placements(fill: NodeFill) -> list[str]:
    lines = []
    for node in sorted(fill.nodes):
        cpu, memory = fill.share(node, "cpu"), fill.share(node, "memory")
        lines.append(
            f"{node:<18}{fill.pods(node):4d} pods  CPU {bar(cpu)} {cpu or 0:4.0%}  "
            f"memory {bar(memory)} {memory or 0:4.0%}  {fill.gpus(node)}".rstrip()
        )
    return lines


def _numbers(document: Mapping[str, Any]) -> list[str]:
    latency = document["latency_ms"]
    percentiles = ", ".join(f"{name} {value:.0f} ms" for name, value in latency.items() if value is not None)
    lines = [
        f"{document['bound']} of {document['pods']} pods bound on {document['nodes']} nodes, "
        f"{document['seconds_to_bind']:.1f} s after the first was created; {document['released']} of them was gated",
        f"{document['unschedulable']} unschedulable, {document['gated']} gated, "
        f"{document['overcommitted_nodes']} nodes overcommitted",
        f"latency {percentiles} ({_LATENCY})",
    ]
    if document["left_out"]:
        lines.append(f"{document['left_out']} pods of the trace were left out: the cluster would have been too full")
    return lines


def _run_kubectl(console: Console, control_plane: ControlPlane, *arguments: str) -> None:
    _heading(console, "$ kubectl " + " ".join(arguments))
    console.print(control_plane.kubectl(*arguments).rstrip(), highlight=False, markup=False, soft_wrap=True)


def _explain(console: Console, operator: OperatorProcess, pod: str) -> None:
    _heading(console, f"$ hydatis explain pod {NAMESPACE}/{pod} --url {operator.url}")
    try:
        text = pod_text(fetch(Place(operator.url), f"/v1/decisions/{NAMESPACE}/{pod}")["decisions"])
    except OperatorError as error:
        # Of a demo with very many pods the decision may have made way for others.
        text = str(error)
    console.print(text.rstrip(), highlight=False, markup=False, soft_wrap=True)


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold", highlight=False, markup=False, soft_wrap=True)


_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _example(pods: Sequence[Mapping[str, Any]]) -> str | None:
    """Choose the placed pod to describe: one that prefers nodes if there is any, since it has more to explain, and of
    those the last, since the first find empty nodes that are all alike.

    Pods of the DaemonSet come last: their node was never in question.
    """
    placed = [pod for pod in pods if pod["spec"].get("nodeName")]
    free = [pod for pod in placed if not _of_daemon_set(pod)]
    choosy = [pod for pod in free if _PREFERRED in pod["spec"].get("affinity", {}).get("nodeAffinity", {})]
    chosen = next(reversed(choosy or free or placed), None)
    return None if chosen is None else str(chosen["metadata"]["name"])


def _of_daemon_set(pod: Mapping[str, Any]) -> bool:
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", ()))


def _pod_scheduled_reason(pod: Mapping[str, Any]) -> str | None:
    for condition in pod.get("status", {}).get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("reason", ""))
    return None


def _percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Give p50, p90 and p99, linearly interpolated; None without values."""
    ranks = (50, 90, 99)
    if not values:
        return {f"p{rank}": None for rank in ranks}
    return {f"p{rank}": round(float(np.percentile(values, rank)), 2) for rank in ranks}
