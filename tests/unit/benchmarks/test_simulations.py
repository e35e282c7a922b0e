"""The benchmark of simulations, on runs that take a second."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.benchmarks.commands import bench
from hydatis.simulations.traces.folder import DATA_VARIABLE

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(bench, name="bench")


@pytest.fixture(autouse=True)
def without_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def command(*arguments: str) -> list[str]:
    return ["bench", "simulations", *arguments]


def test_each_policy_is_measured_in_each_scenario(tmp_path: Path) -> None:
    json_file, markdown = tmp_path / "bench.json", tmp_path / "bench.md"
    result = CliRunner().invoke(
        app,
        command(
            *("--scenario", "six", "--policy", "KubeScheduler", "--policy", "Koordinator", "--hours", "1"),
            *("--repeat", "2", "--json", str(json_file), "--markdown", str(markdown)),
        ),
    )
    assert result.exit_code == 0, result.output
    document = json.loads(json_file.read_text())
    assert [entry["policy"] for entry in document["results"]] == ["KubeScheduler", "Koordinator"]
    for entry in document["results"]:
        assert (entry["scenario"], entry["nodes"], entry["virtual_hours"]) == ("six", 6, 1)
        assert entry["decisions"] >= entry["pods"] > 0
        assert len(entry["runs_seconds"]) == 2
        assert entry["decisions_a_second"] > 0
    assert "decisions a second" in result.output
    assert "| six | 6 | " in markdown.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--policy", "Best"], "--policy Best is unknown; choose from Random"),
        (["--scenario", "moon"], "--scenario moon: the scenario moon is unknown"),
        (["--scenario", "six", "--scenario", "six"], "--scenario six is given more than once"),
    ],
)
def test_wrong_names_are_told_before_anything_runs(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, command(*arguments))
    assert result.exit_code == 1
    assert message in result.output


def test_policies_that_share_no_gpus_are_left_out_of_the_static_protocol() -> None:
    result = CliRunner().invoke(app, command("--scenario", "fgd-static", "--policy", "Koordinator"))
    assert result.exit_code == 0, result.output
    assert "fgd-static, Koordinator: left out" in result.output
