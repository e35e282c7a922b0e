import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.simulations.commands import simulate
from hydatis.simulations.traces.folder import DATA_VARIABLE

APP = typer.Typer()
APP.command()(simulate)


@pytest.fixture
def small_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod list, a node list and a published result, small enough to run in no time."""
    folder = tmp_path / "traces" / "openb"
    folder.mkdir(parents=True)
    pods = "".join(f"p{n},{1000 + n % 4 * 1000},1024,1,{(250, 500, 1000)[n % 3]}\n" for n in range(30))
    nodes = "".join(f"n{n},32000,65536,{(2, 8)[n % 2]},T4\n" for n in range(6))
    for name, text in {
        "openb_pod_list_default": "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n",
        "openb_pod_list_multigpu50": "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n" + pods,
        "openb_node_list_gpu_node": "sn,cpu_milli,memory_mib,gpu,model\n" + nodes,
        "fgd_published_results": "workload,policy,arrived_gpu_pct,alloc_pct_mean,alloc_pct_std\n"
        "openb_pod_list_multigpu50,05-BestFit,130,95.74,0.2\n",
    }.items():
        (folder / f"{name}.csv").write_text(text)
    monkeypatch.setenv(DATA_VARIABLE, str(folder.parent))


@pytest.mark.usefixtures("small_trace")
def test_the_report_has_every_measure_with_its_interval(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    arguments = ["--scenario", "fgd-static", "--policies", "Random, BestFit", "--seeds", "2", "--json", str(path)]
    result = CliRunner().invoke(APP, arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(path.read_text())
    assert list(report["policies"]) == ["Random", "BestFit"]
    for policy, measures in report["policies"].items():
        gpu = measures["gpu_allocation_percent"]
        assert 50 < gpu["low"] <= gpu["mean"] <= gpu["high"] <= 100
        assert [run["seed"] for run in report["runs"][policy]] == [1, 2]
    assert report["configuration"] == {
        "pod_list": "multigpu50",
        "pods": 30,
        "nodes": 6,
        "gpus": 30,
        "gpu_demand": 1.3,
        "seeds": [1, 2],
    }
    assert report["published"] == {"BestFit": {"gpu_allocation_percent": 95.74}}
    assert "BestFit" in result.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--policies", "Best"], "--policies Best is unknown; choose from Random, DotProd"),
        (["--json", "/nowhere/out.json"], "cannot be written; name a file in a folder that exists"),
        (["--pod-list", "cpu100"], "HYDATIS_DATA is not set"),
    ],
)
def test_a_bad_argument_is_told_before_anything_runs(
    arguments: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    result = CliRunner().invoke(APP, arguments)
    assert result.exit_code == 1
    assert problem in result.output
