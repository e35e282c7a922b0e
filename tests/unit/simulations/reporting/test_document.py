import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.reporting.document import document_of
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.sweeps.job import Job

MEASURE = "node_minutes_above_80"


def test_policies_have_every_measure_with_its_interval(make_study: Callable[..., Study]) -> None:
    document = document_of([make_study()], "hydatis simulate")
    json.dumps(document, allow_nan=False)
    assert list(document["policies"]) == ["KubeScheduler", "Even", "Clairvoyant"]
    for measures in document["policies"].values():
        assert set(measures) == set(BY_NAME)
        for interval in measures.values():
            assert interval["low"] <= interval["mean"] <= interval["high"]


def test_differences_regret_and_gap_go_by_policy_and_measure(make_study: Callable[..., Study]) -> None:
    document = document_of([make_study()], "hydatis simulate")
    even = document["differences"]["Even"][MEASURE]
    assert even["verdict"] == "better"
    assert even["high"] < 0
    assert even["ratio"]["mean"] < 1
    assert document["regret"]["Even"][MEASURE]["low"] > 0
    assert 0 < document["gap_closed_percent"]["Even"][MEASURE]["mean"] < 100
    assert document["configuration"]["reference"] == "KubeScheduler"
    assert document["configuration"]["bound"] == "Clairvoyant"
    assert document["best"][MEASURE][0] == "Even"


def test_every_run_has_its_configuration_and_the_command_that_repeats_it(make_study: Callable[..., Study]) -> None:
    document = document_of([make_study(seeds=2)], "hydatis simulate")
    (first, second) = document["runs"]["Even"]
    assert (first["seed"], second["seed"]) == (1, 2)
    assert first["command"] == (
        "hydatis simulate --scenario six-full --policies Even --first-seed 1 --seeds 1 --assume load=0.9"
    )
    assert first[MEASURE] != second[MEASURE]
    assert document["configuration"]["nodes"] == 8
    assert document["configuration"]["code"] == "0.1.0 <test>"


def test_what_an_interruption_left_out_is_told(make_study: Callable[..., Study]) -> None:
    whole = make_study(seeds=2)
    document = document_of([replace(whole, missing=[Job("six-full", "Even", 3)])], "hydatis simulate")
    assert document_of([whole], "")["complete"] is True
    assert document["complete"] is False
    assert document["missing"] == [{"policy": "Even", "seed": 3}]


def test_several_scenarios_stand_side_by_side(make_study: Callable[..., Study]) -> None:
    one, other = make_study(seeds=2), replace(make_study(seeds=2), scenario="other")
    document = document_of([one, other], "hydatis simulate")
    assert list(document["scenarios"]) == ["six-full load=0.9", "other"]
    assert "policies" in document["scenarios"]["other"]


@pytest.mark.parametrize("name", list(BY_NAME))
def test_the_document_explains_its_measures(name: str, make_study: Callable[..., Study]) -> None:
    told = document_of([make_study(seeds=1)], "")["measures"][name]
    assert told["better"] in {"lower", "higher"}
    assert told["definition"].endswith(".")
