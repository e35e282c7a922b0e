import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.figures import draw
from hydatis.benchmarks.measuring import ProcessMeter
from hydatis.benchmarks.outputs import write_json
from hydatis.benchmarks.records import Observed, measurements, raw
from hydatis.benchmarks.reporting import print_table, report


def observed(pods: int, seconds: float) -> Observed:
    """`pods` created at time 100 and bound evenly over `seconds`."""
    step = seconds / pods
    return Observed(
        started_at=100.0,
        ready_seconds=1.5,
        sent_at={str(index): 100.0 for index in range(pods)},
        bound_at={str(index): 100.0 + (index + 1) * step for index in range(pods)},
        events_stored=pods,
        last_event_at=100.0 + seconds + 1.0,
    )


class Meter(ProcessMeter):
    """A meter that has already seen two processes at fixed rates."""

    def __init__(self) -> None:
        super().__init__({})

    def cpu_seconds(self, name: str, since: float, until: float) -> float:
        return (until - since) * {"scheduler": 0.5, "apiserver": 1.0, "etcd": 0.25}[name]

    def own_cpu_seconds(self, since: float, until: float) -> float:
        return (until - since) / 6

    def other_cpu_seconds(self, since: float, until: float) -> float:
        return (until - since) * 0.75

    def peak_rss_mib(self, name: str) -> float:
        return 100.0

    def last_rss_mib(self, name: str) -> float:
        return 90.0


def run(scheduler: str, *, rate: float, valid: bool = True, nodes: int = 10, mode: str = "burst") -> dict[str, Any]:
    seen = observed(200, 200 / rate)
    if not valid:
        seen.problems.append("only 3 of 200 pods were bound within 5 s")
    return {
        "scheduler": scheduler,
        "workload": "uniform",
        "nodes": nodes,
        "mode": mode,
        "repeat": 0,
        "measurements": measurements(seen, Meter(), created_first=False),
        **raw(seen, created_first=False),
    }


SETTINGS = {"pods": 200, "workloads": ["uniform"], "repeat": 2}
MACHINE = {"cores": 2, "cpu_model": "a processor"}


def test_measurements_follow_their_definitions() -> None:
    measured: Any = measurements(observed(200, 2.0), Meter(), created_first=False)
    assert measured["pods_per_second"] == pytest.approx(100.0)
    assert measured["pods_per_second_from_first_bind"] == pytest.approx(100.0)
    assert measured["latency_ms"]["p50"] == pytest.approx(1005.0)
    assert measured["latency_ms"]["max"] == pytest.approx(2000.0)
    assert measured["seconds_until_last_bind"] == pytest.approx(2.0)
    assert measured["seconds_until_last_event"] == pytest.approx(3.0)
    # CPU is counted until the last Event: 3 s at the meter's rates, over 200 pods.
    assert measured["cpu_ms_per_pod"] == pytest.approx(
        {"scheduler": 7.5, "apiserver": 15.0, "etcd": 3.75, "load_generator": 2.5}
    )
    assert measured["events_per_pod"] == 1.0
    assert measured["other_cores"] == pytest.approx(0.75)


def test_pods_created_first_count_their_latency_from_the_clocks_start() -> None:
    seen = observed(2, 1.0)
    seen.sent_at = {"0": 50.0, "1": 60.0}
    assert seen.latencies_ms(created_first=True) == pytest.approx([500.0, 1000.0])
    assert seen.latencies_ms(created_first=False) == pytest.approx([41000.0, 50500.0])


def test_a_run_that_bound_nothing_has_no_rates_rather_than_zeros() -> None:
    measured: Any = measurements(Observed(started_at=1.0), Meter(), created_first=False)
    assert measured["pods_per_second"] is None
    assert measured["latency_ms"]["p99"] is None
    assert measured["cpu_ms_per_pod"]["etcd"] is None


def test_results_compare_the_medians_of_the_valid_runs() -> None:
    runs = [run("hydatis", rate=rate) for rate in (100.0, 300.0, 200.0)]
    runs += [run("kube_scheduler", rate=100.0), run("kube_scheduler", rate=1.0, valid=False)]
    row = report(SETTINGS, MACHINE, {}, runs)["results"][0]
    assert (row["nodes"], row["mode"], row["pods"]) == (10, "burst", 200)
    assert row["hydatis"]["pods_per_second"] == pytest.approx(200.0)
    assert row["hydatis"]["range"]["max"]["pods_per_second"] == pytest.approx(300.0)
    assert row["ratio"]["pods_per_second"] == pytest.approx(2.0)
    assert (row["kube_scheduler"]["runs"], row["kube_scheduler"]["valid_runs"]) == (2, 1)


def test_without_a_valid_run_there_is_no_ratio() -> None:
    runs = [run("hydatis", rate=100.0), run("kube_scheduler", rate=1.0, valid=False)]
    row = report(SETTINGS, MACHINE, {}, runs)["results"][0]
    assert row["ratio"] == {}
    assert "pods_per_second" not in row["kube_scheduler"]


def test_rows_come_in_the_order_of_the_runs() -> None:
    runs = [
        run(scheduler, rate=1.0, nodes=nodes, mode=mode)
        for nodes in (5000, 100)
        for mode in ("queued", "burst")
        for scheduler in ("kube_scheduler", "hydatis")
    ]
    results = report(SETTINGS, MACHINE, {}, runs)["results"]
    assert [(row["nodes"], row["mode"]) for row in results] == [
        (5000, "queued"),
        (5000, "burst"),
        (100, "queued"),
        (100, "burst"),
    ]


def test_the_json_document_can_be_read_back(tmp_path: Path) -> None:
    document = report(SETTINGS, MACHINE, {"hydatis": "1"}, [run("hydatis", rate=10.0), run("kube_scheduler", rate=5.0)])
    write_json(document, tmp_path / "bench.json")
    read = orjson.loads((tmp_path / "bench.json").read_bytes())
    assert read["results"][0]["ratio"]["pods_per_second"] == pytest.approx(2.0)
    assert len(read["runs"][0]["latency_samples_ms"]) == 200
    assert set(read["definitions"]) >= {"clock", "bound", "pods_per_second", "latency_ms", "cpu_ms_per_pod"}


def test_the_plain_table_has_numbers_ranges_ratios_and_what_was_not_valid() -> None:
    runs = [run("hydatis", rate=100.0), run("hydatis", rate=120.0), run("kube_scheduler", rate=55.0)]
    runs.append(run("kube_scheduler", rate=1.0, valid=False))
    output = io.StringIO()
    print_table(report(SETTINGS, MACHINE, {}, runs), Console(file=output, width=120, color_system=None))
    text = output.getvalue()
    line = next(line for line in text.splitlines() if "pods/s" in line)
    assert line.split() == ["uniform", "10", "burst", "pods/s", "110", "(100", "to", "120)", "55", "2.00"]
    reason = "only 3 of 200 pods were bound within 5 s"
    assert f"not valid: kube-scheduler, uniform, 10 nodes, burst, repeat 1: {reason}" in text
    assert "note: other programs kept up to 0.8 cores busy" in text
    assert max(map(len, text.splitlines())) <= 120


def test_the_figure_is_a_png_even_when_one_side_is_missing(tmp_path: Path) -> None:
    runs = [run("hydatis", rate=100.0), run("kube_scheduler", rate=55.0, valid=False)]
    draw(report(SETTINGS, MACHINE, {}, runs), tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_format_that_does_not_exist_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"use a name that ends in .png, .svg or .pdf"):
        draw(report(SETTINGS, MACHINE, {}, [run("hydatis", rate=1.0)]), tmp_path / "bench.abc")
