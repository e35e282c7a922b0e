import math

import pytest

from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.assuming import assuming, assumption_names, written_down
from hydatis.simulations.virtual_time.scenario import Demand, NodeGroup, Part, Scenario

SCENARIO = Scenario("small", (NodeGroup(NodeShape("worker", 4, 16), 3),), 3600.0, 600.0, Demand(0.8, 10))


def test_assumptions_change_wherever_they_stand_and_keep_their_kind() -> None:
    changed = assuming(
        SCENARIO,
        {
            "length_seconds": "7200",
            "part": "training",
            "load": "0.5",
            "owners": "4",
            "arrivals_a_second": "2.5",
            "patience_seconds": "inf",
            "missing_share": "0.2",
            "best_effort_starts_over": "false",
        },
    )
    assert (changed.length_seconds, changed.part) == (7200, Part.TRAINING)
    assert changed.demand == Demand(0.5, 4, arrivals_a_second=2.5, patience_seconds=math.inf)
    assert changed.assumptions.missing_share == 0.2
    assert changed.assumptions.best_effort_starts_over is False
    assert changed.nodes == SCENARIO.nodes


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("lod", "1", "--assume lod is no assumption of small; choose from length_seconds, "),
        ("nodes", "1", "--assume nodes is no assumption"),
        ("load", "much", "--assume load=much must be a number"),
        ("owners", "1.5", "--assume owners=1.5 must be a whole number"),
        ("best_effort_starts_over", "1", "must be true or false"),
        ("part", "test", "--assume part=test is unknown; choose from training, validation, held-out"),
        ("missing_share", "2", "missing_share is 2.0; choose one from 0 to below 1"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(name: str, text: str, problem: str) -> None:
    with pytest.raises(SimulationError, match=problem):
        assuming(SCENARIO, {name: text})


def test_no_two_assumptions_share_a_name() -> None:
    names = assumption_names(SCENARIO)
    assert len(set(names)) == len(names)


def test_a_scenario_is_written_down_in_full() -> None:
    written = written_down(assuming(SCENARIO, {"patience_seconds": "inf"}))
    assert written["nodes"][0]["shape"]["cpu_cores"] == 4
    assert written["demand"]["patience_seconds"] == "infinite"
    assert written["part"] == "validation"
    assert written["assumptions"]["window_seconds"] == 60
