from typing import Any

import pytest

from hydatis.sandbox.demo.expectations import broken_expectations, fits_nowhere
from hydatis.sandbox.demo.scenario import GATED, UNSCHEDULABLE, Scenario

READY = [{"type": "Ready", "status": "True"}]
LOADED = {"status": {"mode": "Ensemble", "conditions": [*READY, {"type": "ModelsLoaded", "status": "True"}]}}
FAILED = {"involvedObject": {"name": UNSCHEDULABLE}, "reason": "FailedScheduling"}


def pod(name: str, node: str | None, cpu: str = "1") -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"resources": {"requests": {"cpu": cpu}}}]}
    return {"metadata": {"name": name}, "spec": spec | ({"nodeName": node} if node else {}), "status": {}}


NODE = {"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "4", "pods": "10"}}}


def ended(**changes: Any) -> list[str]:
    strict = changes.pop("strict", True)
    good: dict[str, Any] = {
        "nodes": [NODE],
        "pods": [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n"), pod("a", "n")],
        "events": [FAILED],
        "policy": LOADED,
        "bound_while_gated": False,
    }
    return broken_expectations(Scenario([], [], [], 3, 0, strict), **(good | changes))


def test_a_good_end_breaks_nothing() -> None:
    assert ended() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"pods": [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n")]}, "2 pods exist, 3 were expected"),
        ({"pods": [pod(UNSCHEDULABLE, "n", "1"), pod(GATED, "n"), pod("a", "n")]}, "fits-nowhere is not pending"),
        ({"events": []}, "has no FailedScheduling Event"),
        ({"bound_while_gated": True}, "was bound before its gate was removed"),
        ({"pods": [pod(UNSCHEDULABLE, None, "100"), pod(GATED, None), pod("a", "n")]}, "was not bound after its gate"),
        (
            {"pods": [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n"), pod("a", None)]},
            "pod a is pending although it fits",
        ),
        ({"pods": [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n"), pod("a", "n", "4")]}, "overcommitted: n: cpu 5"),
        ({"policy": {"status": {}}}, "policy default does not score by all of its models"),
        ({"policy": {"status": {"mode": "Fallback", "conditions": READY}}}, "does not score by all of its models"),
    ],
)
def test_each_broken_expectation_is_told(changes: dict[str, Any], problem: str) -> None:
    assert [broken for broken in ended(**changes) if problem in broken]


def test_in_a_trace_a_pod_may_stay_pending_only_when_no_node_has_room() -> None:
    fits = [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n"), pod("a", None, "3")]
    too_large = [pod(UNSCHEDULABLE, None, "100"), pod(GATED, "n"), pod("a", None, "3001m")]
    assert ended(pods=fits, strict=False) == ["pod a is pending although it fits"]
    assert ended(pods=too_large, strict=False) == []


def test_room_is_what_the_bound_pods_leave() -> None:
    assert not fits_nowhere(pod("a", None, "4"), [NODE], [])
    assert fits_nowhere(pod("a", None, "4"), [NODE], [pod("b", "n", "1m")])
