from dataclasses import replace
from typing import Any

import pytest

from hydatis.simulations.sweeps.job import Job

JOB = Job("six-nodes", "Random", 1, {"load": "0.9"}, {"nodes": 6, "load": 0.9}, "abc", "0.1.0")


@pytest.mark.parametrize(
    "change",
    [
        {"scenario": "other"},
        {"policy": "BestFit"},
        {"seed": 2},
        {"configuration": {"nodes": 7, "load": 0.9}},
        {"data": "abd"},
        {"code": "0.1.1"},
    ],
)
def test_whatever_decides_the_result_changes_the_key(change: dict[str, Any]) -> None:
    assert replace(JOB, **change).key != JOB.key


def test_how_a_value_was_written_and_in_which_order_changes_nothing() -> None:
    assert replace(JOB, assumptions={"load": "0.90"}, configuration={"load": 0.9, "nodes": 6}).key == JOB.key


def test_a_job_is_named_by_what_differs_from_its_scenario() -> None:
    assert JOB.variant == "six-nodes load=0.9"
    assert JOB.label == "six-nodes load=0.9, Random, seed 1"
