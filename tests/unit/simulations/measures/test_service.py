import math

import pytest

from hydatis.simulations.measures.catalogue import measure_run
from hydatis.simulations.measures.testing import NEVER, PodFate, record
from hydatis.simulations.virtual_time.record import PodOutcome

# Four samples, so the run ends at 240 s; pods created from 60 s on are new.
PODS = (
    PodFate(created=0, placed=0, ended=30, outcome=PodOutcome.FINISHED, restarts=9, stretched=9),
    PodFate(created=0, placed=0, ended=30, outcome=PodOutcome.KILLED),
    PodFate(created=0, placed=10, restarts=2, stretched=3600),
    PodFate(created=0, placed=0, ended=70, outcome=PodOutcome.LOST),
    PodFate(created=60, placed=70, ended=100, outcome=PodOutcome.FINISHED),
    PodFate(created=60, placed=60, ended=100, outcome=PodOutcome.KILLED, restarts=1),
    PodFate(created=100, placed=NEVER, ended=160, outcome=PodOutcome.GAVE_UP),
    PodFate(created=200, placed=NEVER, outcome=PodOutcome.PENDING),
)
RUN = record([[50.0]] * 4, PODS, measured_from=60)


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        # The new pods waited 10, 0, 60 (given up) and 40 s (until the end).
        ("pending_mean_seconds", 27.5),
        ("pending_p99_seconds", 40 + 0.97 * 20),
        ("success_percent", 25.0),
        ("gave_up_pods", 1),
        ("killed_pods", 1),
        ("lost_pods", 1),
        ("restarts", 3),
        ("stretched_hours", 1.0),
    ],
)
def test_the_fate_of_pods_becomes_numbers(measure: str, value: float) -> None:
    assert measure_run(RUN)[measure] == pytest.approx(value)


def test_without_new_pods_there_is_no_waiting_time() -> None:
    measured = measure_run(record([[50.0]] * 2, measured_from=60))
    assert math.isnan(measured["pending_p99_seconds"])
    assert math.isnan(measured["pending_mean_seconds"])
    assert math.isnan(measured["success_percent"])
    assert measured["gave_up_pods"] == 0
