import tempfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.benchmarks.commands import bench
from hydatis.benchmarks.contenders import Hydatis, KubeScheduler
from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.modes import MODES, mode_named
from hydatis.benchmarks.series import Series
from hydatis.benchmarks.workload import NAMESPACE, ShapedWorkload
from hydatis.simulations.recounting import overcommitments

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(bench, name="bench")


def series(*, nodes: int = 100, pods: int = 2000, repeats: int = 3, modes: tuple[str, ...] = ("burst",)) -> Series:
    return Series(
        contenders=(Hydatis(), KubeScheduler()),
        workloads=["uniform"],
        nodes=[nodes],
        modes=modes,
        pods=pods,
        repeats=repeats,
        seed=1,
        deadline_seconds=60.0,
    )


def test_the_schedulers_take_turns_in_going_first() -> None:
    order = [(plan.repeat, plan.contender.name) for plan in series().plans()]
    assert order == [
        (0, "hydatis"),
        (0, "kube_scheduler"),
        (1, "kube_scheduler"),
        (1, "hydatis"),
        (2, "hydatis"),
        (2, "kube_scheduler"),
    ]


def test_both_schedulers_get_the_same_nodes_and_pods_but_for_the_schedulers_name() -> None:
    first, second = list(series(repeats=1).plans())
    assert first.workload.node_manifests(100) == second.workload.node_manifests(100)
    pods = [plan.workload.pod_manifests(plan.contender.scheduler_name) for plan in (first, second)]
    assert {pod["spec"].pop("schedulerName") for pod in pods[0]} == {"hydatis"}
    assert {pod["spec"].pop("schedulerName") for pod in pods[1]} == {"default-scheduler"}
    assert pods[0] == pods[1]


@pytest.mark.parametrize(
    ("mode", "asked", "created"),
    [
        ("queued", 2000, 2000),
        ("burst", 2000, 2000),
        ("paced-20", 2000, 600),
        ("paced-20", 50, 50),
        ("paced-100", 5000, 3000),
    ],
)
def test_a_paced_run_creates_at_most_thirty_seconds_worth_of_pods(mode: str, asked: int, created: int) -> None:
    assert mode_named(mode).pods(asked) == created


def test_every_mode_has_its_own_name() -> None:
    assert [mode.name for mode in MODES] == ["queued", "burst", "paced-20", "paced-100"]
    with pytest.raises(BenchError, match="--mode fast is unknown; choose from queued, burst, paced-20, paced-100"):
        mode_named("fast")


@pytest.mark.parametrize("kind", ["uniform", "mixed"])
def test_the_nodes_hold_the_pods_even_when_spread_unevenly(kind: str) -> None:
    workload = ShapedWorkload(kind, 2000, seed=1)
    nodes, pods = workload.node_manifests(100), workload.pod_manifests("any")
    assert all(pod["metadata"]["namespace"] == NAMESPACE for pod in pods)
    for index, pod in enumerate(pods):
        pod["spec"]["nodeName"] = nodes[index // 2 % 50]["metadata"]["name"]
    assert overcommitments(nodes, pods) == []


def test_more_pods_than_the_nodes_should_hold_are_refused_with_the_number_that_would_do() -> None:
    with pytest.raises(BenchError, match="--nodes 5 are too few for 2000 uniform pods; use 9 nodes or fewer pods"):
        series(nodes=5).check()
    series(nodes=9).check()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--mode", "fast"], "error: --mode fast is unknown"),
        (["--workload", "odd"], "error: --workload odd is unknown; choose from uniform, mixed, SchedulingBasic, "),
        (["--nodes", "1", "--pods", "5000"], "error: --nodes 1 are too few"),
        (["--nodes", "100", "--nodes", "100"], "error: --nodes 100 is given more than once"),
        (["--json", "nowhere/bench.json"], "does not exist; create it first."),
        (["--figure", "."], "error: --figure . is a folder; name a file."),
    ],
)
def test_bad_input_is_one_sentence_before_anything_starts(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = CliRunner().invoke(app, ["bench", *arguments])
    assert result.exit_code == 1
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_help_gives_an_example() -> None:
    result = CliRunner().invoke(app, ["bench", "--help"], env={"COLUMNS": "140"})
    assert result.exit_code == 0
    assert "hydatis bench --nodes 1000 --nodes 5000 --pods 2000 --repeat 3 --json bench.json" in result.output
