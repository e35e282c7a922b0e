"""`hydatis model` with a real store, and no cluster."""

import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from hydatis.registry.commands import model
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import parse_model
from hydatis.scheduler.models.weights import digest_of
from hydatis.scheduler.testing_onnx import linear
from hydatis.simulations.training.tracking.registering import register
from hydatis.simulations.training.tracking.testing import made_model

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(model, [*arguments], catch_exceptions=False)


def nowhere(tmp_path: Path) -> list[str]:
    return ["--kubeconfig", str(tmp_path / "nowhere")]


def test_the_list_goes_without_a_cluster_and_says_so(tmp_path: Path) -> None:
    assert "the registry has no such version yet" in call("list", "--offline").stdout
    register(made_model(onnx=linear()))
    register(made_model(ModelKind.ANOMALY, metrics={f"metric{number}": number / 3 for number in range(5)}))
    offline = call("list", "--offline")
    assert [line.split() for line in offline.stdout.splitlines()] == [
        ["NAME", "VERSION", "ALIASES", "SHA-256", "METRICS"],
        ["hydatis-load", "1", digest_of(linear())[:12], "error", "0.25,", "error_mean", "0.5"],
        f"hydatis-anomaly 1 {digest_of(b'weights')[:12]} metric0 0, metric1 0.3333, metric2 0.6667 (+2)".split(),
    ]
    without = call("list", *nowhere(tmp_path))
    assert (without.exit_code, without.stdout) == (0, offline.stdout)
    assert f"without the cluster: The kubeconfig {tmp_path}/nowhere does not exist." in without.stderr


def test_the_manifest_is_written_in_place_of_being_created(tmp_path: Path) -> None:
    register(made_model(onnx=linear()))
    shown = call("push", "hydatis-load", "1", "--output", "-", *nowhere(tmp_path))
    assert parse_model(yaml.safe_load(shown.stdout)).sha256 == digest_of(linear())
    assert call("push", "hydatis-load", "1", "-o", "model.yaml").exit_code == 0
    assert Path("model.yaml").read_text() == shown.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["push", "hydatis-load", "2"], "has no hydatis-load version 2"),
        (["push", "hydatis-load", "1"], "nowhere does not exist"),
        (["push", "hydatis-load", "1", "--server", "http://x"], "--server is for --by-reference alone"),
        (["push", "hydatis-load", "1", "--by-reference"], "HYDATIS fetches weights from servers alone"),
        (["push", "hydatis-load", "1", "--namespace", "No"], "--namespace 'No' cannot be a namespace"),
        (["push", "hydatis-load", "1", "-o", "/dev/null/x"], "Not a directory"),
        (["promote", "hydatis-load", "1", "--policy", "p"], "nowhere does not exist"),
        (["rollback", "--policy", "p", "--kind", "load"], "nowhere does not exist"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(arguments: list[str], problem: str, tmp_path: Path) -> None:
    register(made_model(onnx=linear()))
    result = call(*arguments, *nowhere(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert problem in line


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    result = call("list", "--offline")
    assert result.exit_code == 1
    assert result.stderr == "error: hydatis model needs the Python package mlflow: pip install 'hydatis[models]'\n"
