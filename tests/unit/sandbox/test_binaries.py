import os
from pathlib import Path

import pytest

from hydatis.sandbox.binaries import binary_folder, candidates, locate, parse_version, pinned_tools, suits
from hydatis.sandbox.go_module import Program, Version

PINNED = pinned_tools()


def _program(folder: Path, program: Program, output: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no assets, and `cat` and `sh` alone on PATH."""
    for name in ("cat", "sh"):
        (tmp_path / "path").mkdir(exist_ok=True)
        (tmp_path / "path" / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "suitable"),
    [
        (Version(1, 37, 2), True),
        (Version(1, 37, 0), True),
        (Version(1, 36, 9), False),
        (Version(1, 38, 0), False),
        (Version(2, 37, 2), False),
        (None, False),
    ],
)
def test_only_the_same_minor_version_suits(version: Version | None, suitable: bool) -> None:
    assert suits(version, Version(1, 37, 2)) is suitable


@pytest.mark.parametrize(
    ("program", "output", "expected"),
    [
        (Program.APISERVER, "Kubernetes v1.37.2", Version(1, 37, 2)),
        (Program.APISERVER, "Kubernetes v0.0.0-master+$Format:%H$", None),
        (Program.ETCD, "etcd Version: 3.7.0\nGit SHA: x\nGo Version: go1.26.8", Version(3, 7, 0)),
        (Program.KWOK, "kwok version v0.8.0 go1.26.8 (linux/amd64)", Version(0, 8, 0)),
        (Program.HELM, "v3.22", Version(3, 22, 0)),
        (Program.KUBECTL, '{"clientVersion": {"gitVersion": "v1.32.4-vendor"}}', Version(1, 32, 4)),
        (Program.KUBECTL, '{"clientVersion": null}', None),
        (Program.KUBECTL, "[]", None),
        (Program.KUBECTL, "not JSON v1.37.2", None),
    ],
)
def test_versions_are_read_from_what_programs_print(program: Program, output: str, expected: Version | None) -> None:
    assert parse_version(program, output) == expected


def test_assets_of_a_suitable_version_come_before_the_cache_and_path(
    nothing_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = nothing_installed / "assets"
    wanted = PINNED.version(Program.APISERVER)
    in_assets = _program(assets, Program.APISERVER, f"Kubernetes v{wanted.major}.{wanted.minor}.99")
    _program(binary_folder(), Program.APISERVER, "")
    _program(nothing_installed / "path", Program.APISERVER, f"Kubernetes {wanted}")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    found = list(candidates(Program.APISERVER))
    assert [each.source for each in found] == ["KUBEBUILDER_ASSETS", "cache", "PATH"]
    assert all(each.suitable for each in found)
    used = locate(Program.APISERVER)
    assert used is not None
    assert used.path == in_assets


def test_an_unsuitable_binary_is_passed_over_and_still_listed(nothing_installed: Path) -> None:
    _program(nothing_installed / "path", Program.APISERVER, "Kubernetes v1.12.0")
    assert locate(Program.APISERVER) is None
    (only,) = candidates(Program.APISERVER)
    assert (only.version, only.suitable, only.source) == ("v1.12.0", False, "PATH")


def test_a_file_that_cannot_run_is_of_unknown_version_and_not_used(nothing_installed: Path) -> None:
    path = nothing_installed / "path" / Program.ETCD
    path.write_bytes(b"\x00not a program")
    path.chmod(0o755)
    (only,) = candidates(Program.ETCD)
    assert (only.version, only.suitable) == ("unknown", False)


def test_a_half_built_binary_in_the_cache_is_no_candidate(nothing_installed: Path) -> None:
    part = _program(binary_folder(), Program.ETCD, "etcd Version: 3.7.0")
    os.rename(part, part.with_name(f"{part.name}.part"))
    assert list(candidates(Program.ETCD)) == []
