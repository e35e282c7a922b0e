"""Decides which binary of a program is used: `KUBEBUILDER_ASSETS`, then the user's cache, then PATH.

A binary from outside the cache is used only when its version suits the pinned one: the same major and minor. What is
passed over is kept for `hydatis sandbox status -v`, so that nobody wonders why an installed program is not used.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hydatis.sandbox.bundled import tool_module
from hydatis.sandbox.folders import cache_folder
from hydatis.sandbox.go_module import Program, ToolModule, Version

_VERSION_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Found:
    """One binary of a program on this machine."""

    program: Program
    path: Path
    source: str
    """`KUBEBUILDER_ASSETS`, `cache` or `PATH`."""
    version: str
    """As the binary says it; `unknown` where it says none."""
    suitable: bool


@cache
def pinned_tools() -> ToolModule:
    """The tool module of this installation."""
    return ToolModule.read(tool_module())


def binary_folder() -> Path:
    """Where built binaries are kept. Not created here."""
    return cache_folder() / "controlplane" / pinned_tools().key / "bin"


def candidates(program: Program) -> Iterator[Found]:
    """Every binary of `program` on this machine, the preferred first."""
    assets = os.environ.get("KUBEBUILDER_ASSETS", "")
    if assets and os.access(Path(assets) / program, os.X_OK):
        yield _judge(program, Path(assets) / program, "KUBEBUILDER_ASSETS")
    built = binary_folder() / program
    if os.access(built, os.X_OK):
        yield Found(program, built, "cache", pinned_tools().version_text(program), suitable=True)
    on_path = shutil.which(program)
    if on_path is not None:
        yield _judge(program, Path(on_path), "PATH")


def locate(program: Program) -> Found | None:
    """The binary to use, or None where one has to be built."""
    return next((found for found in candidates(program) if found.suitable), None)


def version_at(program: Program, path: Path) -> str:
    """The version of the binary of `program` at `path`, as `Found.version` says it."""
    if path == binary_folder() / program:
        return pinned_tools().version_text(program)
    return _judge(program, path, "").version


def suits(version: Version | None, pinned: Version) -> bool:
    """True if a binary of `version` may stand in for the pinned one.

    Kubernetes supports no newer client than server and features come with minors, so major and minor must agree.
    """
    return version is not None and version.same_minor(pinned)


def parse_version(program: Program, output: str) -> Version | None:
    """The version in what a program prints when asked for it; None where it has none or a build left it at 0.0."""
    if program is Program.KUBECTL:
        try:
            output = str(json.loads(output)["clientVersion"]["gitVersion"])
        except (ValueError, KeyError, TypeError):
            return None
    version = Version.find(output)
    return None if version == Version(0, 0, 0) else version


def _judge(program: Program, path: Path, source: str) -> Found:
    version = _ask_version(program, path)
    suitable = suits(version, pinned_tools().version(program))
    return Found(program, path, source, "unknown" if version is None else f"v{version}", suitable)


@cache
def _ask_version(program: Program, path: Path) -> Version | None:
    question = {
        Program.KUBECTL: ["version", "--client", "-o", "json"],
        Program.HELM: ["version", "--template", "{{.Version}}"],
    }.get(program, ["--version"])
    try:
        answer = subprocess.run(
            [str(path), *question], capture_output=True, text=True, timeout=_VERSION_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(program, answer.stdout) if answer.returncode == 0 else None
