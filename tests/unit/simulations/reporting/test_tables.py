from collections.abc import Callable

import pytest

from hydatis.simulations.reporting import tables
from hydatis.simulations.reporting.study import Study


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0123, "0.0123"),
        (1.234, "1.23"),
        (45.0, "45.0"),
        (123.4, "123"),
        (-0.5, "-0.500"),
        (12345.6, "12,346"),
    ],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert tables.number(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(-0.4711, "&minus;47 %"), (0.0312, "+3.1 %"), (0.0002, "±0 %"), (1.5, "+150 %")]
)
def test_changes_have_their_sign(share: float, text: str) -> None:
    assert tables.signed_percent(share) == text


def test_the_best_is_marked_and_the_bound_is_not(make_study: Callable[..., Study]) -> None:
    text = tables.measures_table(make_study(), ["Clairvoyant", "Even", "KubeScheduler"], ["node_minutes_above_80"])
    rows = {name: row for row in text.split("<tr")[2:] for name in ("Clairvoyant", "Even", "Kube") if name in row}
    assert 'class="best"' in rows["Even"]
    assert "best" not in rows["Kube"] + rows["Clairvoyant"]
    assert "change better" in rows["Even"]
    assert "change" not in rows["Kube"]


def test_every_run_is_listed_with_its_command(make_study: Callable[..., Study]) -> None:
    text = tables.runs_table(make_study(seeds=3), ["Even"])
    assert text.count("hydatis simulate --scenario six-full --policies Even") == 3


def test_a_measure_that_no_run_has_is_left_out(make_study: Callable[..., Study]) -> None:
    study = make_study(seeds=1)
    for run in study.runs["Even"]:
        assert "restarts" in run.measures
    assert "cost" in tables.measures_table(study, ["Even"], ["cost_usd_a_day"])
    assert tables.interval_table({}, ["Even"], ["cost_usd_a_day"]).count("<th scope") == 1
