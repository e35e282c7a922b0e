"""The steps of the Dockerfile, without Docker: what the operator's image holds is enough to run it."""

import subprocess
import venv
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.operator_process import OperatorProcess

_ROOT = Path(__file__).parents[2]
_LARGEST_MIB = 330
"""ONNX Runtime and onnx, which run models and check them first, are 107 of these."""
_OF_TRAINING = {"lightgbm", "mlflow", "pandas", "pyod", "scipy", "sklearn", "stable_baselines3", "torch", "pytest"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the runtime's pins and the wheel alone."""
    folder = tmp_path_factory.mktemp("runtime")
    venv.create(folder / "venv", with_pip=True)

    def pip(command: str, *arguments: str | Path) -> None:
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([folder / "venv/bin/pip", command, *quiet, *arguments], check=True)

    pip("install", "--require-hashes", "-r", _ROOT / "requirements/runtime.txt")
    pip("wheel", "--no-deps", "--wheel-dir", folder / "wheels", _ROOT)
    (built,) = (folder / "wheels").glob("hydatis-*.whl")
    pip("install", "--no-deps", built)
    return folder / "venv"


def test_the_image_holds_no_training_stack_and_stays_small(environment: Path) -> None:
    packages = {path.name for path in (environment / "lib").glob("python3*/site-packages/*")}
    assert {"hydatis", "kopf", "numpy", "onnx", "onnxruntime"} <= packages
    assert not packages & _OF_TRAINING
    size_mib = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file()) / 2**20
    assert size_mib < _LARGEST_MIB


def test_the_operator_becomes_ready_with_the_runtime_alone(environment: Path, tmp_path: Path) -> None:
    # One of its own: the shared one may hold the chart's definitions in another release.
    with (
        ControlPlane.start(tmp_path / "control-plane") as control_plane,
        OperatorProcess.start(install_chart(control_plane), python=environment / "bin/python") as operator,
    ):
        assert operator.metrics()["hydatis_ready_duration_seconds"] > 0


def test_a_command_whose_extra_is_missing_says_which_package_it_needs(environment: Path) -> None:
    asked = subprocess.run(
        [environment / "bin/hydatis", "sandbox", "status"], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "pip install 'hydatis[sandbox]'" in asked.stderr
    assert "Traceback" not in asked.stderr
