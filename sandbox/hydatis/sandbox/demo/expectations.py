"""What must be true when the demo ends, checked against the API server's own objects.

Called by the performance at its end; pure. Each broken expectation is one sentence; none broken means that the demo
has shown what it claims.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hydatis.sandbox.demo.scenario import GATED, POLICY, UNSCHEDULABLE, Scenario
from hydatis.simulations.recounting import allocatable, overcommitments, requested, requested_by_node

Manifests = Sequence[Mapping[str, Any]]


def broken_expectations(
    scenario: Scenario,
    *,
    nodes: Manifests,
    pods: Manifests,
    events: Manifests,
    policy: Mapping[str, Any],
    bound_while_gated: bool,
) -> list[str]:
    """Name every expectation that does not hold; the objects are as the API server lists them at the end."""
    pending = sorted(pod["metadata"]["name"] for pod in pods if not pod["spec"].get("nodeName"))
    broken = []
    if len(pods) != scenario.pod_count:
        broken.append(f"{len(pods)} pods exist, {scenario.pod_count} were expected")
    if UNSCHEDULABLE not in pending:
        broken.append(f"pod {UNSCHEDULABLE} is not pending")
    if not _has_event(events, UNSCHEDULABLE, "FailedScheduling"):
        broken.append(f"pod {UNSCHEDULABLE} has no FailedScheduling Event")
    if bound_while_gated:
        broken.append(f"pod {GATED} was bound before its gate was removed")
    if GATED in pending:
        broken.append(f"pod {GATED} was not bound after its gate was removed")
    broken += _wrongly_pending(scenario, nodes, pods, pending)
    broken += [f"overcommitted: {over}" for over in overcommitments(nodes, pods)]
    if not uses_models(policy):
        broken.append(f"policy {POLICY} does not score by all of its models")
    return broken


def has_condition(manifest: Mapping[str, Any], kind: str) -> bool:
    """Whether an object's condition of this type is True."""
    conditions = manifest.get("status", {}).get("conditions", ())
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def uses_models(policy: Mapping[str, Any]) -> bool:
    """Whether a policy is in force and the ensemble scores, with every model that counts."""
    if not has_condition(policy, "Ready") or policy["status"].get("mode") != "Ensemble":
        return False
    # There is no such condition while no model has a weight.
    return has_condition(policy, "ModelsLoaded") or not any(
        condition["type"] == "ModelsLoaded" for condition in policy["status"]["conditions"]
    )


def fits_nowhere(pod: Mapping[str, Any], nodes: Manifests, pods: Manifests) -> bool:
    """Whether no node has room for the pod beside those bound there; taints and affinity are left aside."""
    sums = requested_by_node(pods)
    ask = requested(pod)
    for node in nodes:
        used, offered = sums.get(node["metadata"]["name"], {}), allocatable(node)
        if all(
            used.get(resource, 0) + amount <= offered.get(resource, 0) for resource, amount in ask.items() if amount
        ):
            return False
    return True


def _wrongly_pending(scenario: Scenario, nodes: Manifests, pods: Manifests, pending: Sequence[str]) -> list[str]:
    """Find pods left pending although they fit; in a strict scenario all do but one, in a trace it is recounted."""
    by_name = {pod["metadata"]["name"]: pod for pod in pods}
    suspects = [name for name in pending if name not in (UNSCHEDULABLE, GATED)]
    if not scenario.strict:
        suspects = [name for name in suspects if not fits_nowhere(by_name[name], nodes, pods)]
    return [f"pod {name} is pending although it fits" for name in suspects]


def _has_event(events: Manifests, pod: str, reason: str) -> bool:
    return any(event["involvedObject"].get("name") == pod and event["reason"] == reason for event in events)
