from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.simulations.recounting import overcommitments, quantity, requested


def pod(node: str | None, *, phase: str = "Running", **requests: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"resources": {"requests": requests}}]}
    if node:
        spec["nodeName"] = node
    return {"spec": spec, "status": {"phase": phase}}


def node(name: str, **allocatable: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"allocatable": {"pods": "110", **allocatable}}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1500m", Fraction(3, 2)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("2e3", Fraction(2000)),
        ("2E3", Fraction(2000)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(2**60)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("100n", Fraction(1, 10**7)),
        ("1e-3", Fraction(1, 1000)),
        ("-1", Fraction(-1)),
        ("0", Fraction(0)),
    ],
)
def test_quantities_are_read_exactly(text: str, value: Fraction) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "1 Gi", "1K", "abc", "1e", "٣", "1Mi\n"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity"):
        quantity(text)


@given(st.integers(0, 10**9))
def test_thousandths_add_up_without_rounding(amount: int) -> None:
    assert quantity(f"{amount}m") * 1000 == amount


def test_a_node_that_is_exactly_full_is_not_overcommitted() -> None:
    pods = [pod("a", cpu="500m"), pod("a", cpu="1.5")]
    assert overcommitments([node("a", cpu="2")], pods) == []


def test_one_thousandth_too_much_is_found() -> None:
    found = overcommitments([node("a", cpu="2")], [pod("a", cpu="2"), pod("a", cpu="1m")])
    assert [str(over) for over in found] == ["a: cpu 2.001 requested, 2 allocatable"]


def test_too_many_pods_are_found() -> None:
    assert overcommitments([node("a") | {"status": {"allocatable": {"pods": "1"}}}], [pod("a"), pod("a")])


def test_a_resource_or_node_that_is_not_there_offers_nothing() -> None:
    assert overcommitments([node("a")], [pod("a", **{"nvidia.com/gpu": "1"})])
    assert overcommitments([], [pod("gone", cpu="1")])


def test_pending_and_terminal_pods_take_no_room() -> None:
    pods = [pod(None, cpu="9"), pod("a", phase="Succeeded", cpu="9"), pod("a", phase="Failed", cpu="9")]
    assert overcommitments([node("a", cpu="1")], pods) == []


def test_the_largest_init_container_and_the_overhead_count() -> None:
    manifest = pod("a", cpu="1")
    manifest["spec"]["initContainers"] = [{"resources": {"requests": {"cpu": "3"}}}, {}]
    manifest["spec"]["overhead"] = {"cpu": "250m"}
    assert requested(manifest)["cpu"] == Fraction(13, 4)
