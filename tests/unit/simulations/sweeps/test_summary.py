import json
import math

import pytest

from hydatis.simulations.measures.testing import record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.summary import RunSummary, plain

RUN = RunSummary(
    Job("six-nodes", "Random", 1, {}, {"nodes": 1, "patience": "infinite"}, "", "0.1.0"),
    {"cpu_mean_percent": 1 / 3, "pending_p99_seconds": math.nan},
    timeline_of(record([[1 / 3], [70.0]])),
    nodes=1,
    pods=5,
    decisions=6,
)


def test_a_summary_is_read_back_bit_by_bit() -> None:
    read = RunSummary.of_text(RUN.text())
    assert read.job == RUN.job
    assert read.job.key == RUN.job.key
    assert read.measures["cpu_mean_percent"] == 1 / 3
    assert math.isnan(read.measures["pending_p99_seconds"])
    assert read.timeline == RUN.timeline
    assert (read.nodes, read.pods, read.decisions) == (1, 5, 6)


def test_the_text_is_json_without_any_nan() -> None:
    document = json.loads(RUN.text(), parse_constant=pytest.fail)
    assert document["measures"]["pending_p99_seconds"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        RUN.text()[:-40],
        RUN.text().replace('"seed": 1', '"seed": 2'),
        RUN.text().replace('"format": 1', '"format": 0'),
        RUN.text().replace('"hours"', '"days"'),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which part is wrong does not matter: the run is made again
        RunSummary.of_text(text)


def test_json_has_null_for_what_is_no_number() -> None:
    assert plain({"a": [math.inf, 1.5, "x"], "b": (math.nan,)}) == {"a": [None, 1.5, "x"], "b": [None]}
