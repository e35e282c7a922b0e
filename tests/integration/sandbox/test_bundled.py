import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHOW = (
    "from hydatis.sandbox import binaries, bundled; "
    "print(bundled.tool_module(), bundled.chart(), bundled.custom_resource_definitions(), binaries.pinned_tools().key)"
)


def test_an_installed_wheel_finds_the_same_files_in_itself(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    # The checkout's own packages are found later on the path than those of the wheel.
    environment = os.environ | {"PYTHONPATH": str(installed)}
    answer = subprocess.run(
        [sys.executable, "-c", SHOW],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    tool_module, chart, definitions, key = answer.stdout.split()
    bundled = installed / "hydatis" / "sandbox" / "bundled"
    assert (Path(tool_module), Path(chart)) == (bundled / "controlplane", bundled / "charts" / "hydatis")
    for original in (ROOT / "crds").glob("*.yaml"):
        assert (Path(definitions) / original.name).read_bytes() == original.read_bytes()
    for module in ("controlplane", "oracle", "upstream"):
        assert (bundled / module / "go.sum").read_bytes() == (ROOT / "tests" / module / "go.sum").read_bytes()
    assert len(key) == 16
