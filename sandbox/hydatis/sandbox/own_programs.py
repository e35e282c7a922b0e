"""Builds the project's own Go programs, those kept beside the tests, into the user's cache.

A program is kept under the hash of its sources: other sources are another program, and the same ones are built once.
"""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from hydatis.sandbox.binaries import pinned_tools
from hydatis.sandbox.building import Progress, compile_binary
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.folders import cache_folder
from hydatis.sandbox.locking import file_lock
from hydatis.sandbox.toolchain import find_go

_BUILD_WAIT_SECONDS = 3600.0
_KUBERNETES = re.compile(r"^\s*k8s\.io/kubernetes\s+(v\S+)", re.MULTILINE)


def kubernetes_version_of(source: Path) -> str:
    """The version of Kubernetes that the Go module in `source` links, such as `v1.37.2`."""
    found = _KUBERNETES.search((source / "go.mod").read_text(encoding="utf-8"))
    if found is None:
        raise SandboxError(f"{source / 'go.mod'} does not require k8s.io/kubernetes; restore the file")
    return found[1]


def provide_own(
    name: str, source: Path, label: str, command: Callable[[str, Path], list[str]], progress: Progress
) -> Path:
    """The binary `name` of the Go module in `source`; built first where the cache has none of these sources.

    `command(go, output)` is the build's command line. Raises `SandboxError` where Go is missing or the build fails.
    """
    digest = hashlib.sha256()
    for file in sorted((*source.glob("*.go"), source / "go.mod", source / "go.sum")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    folder = cache_folder() / name / digest.hexdigest()[:16]
    binary = folder / "bin" / name
    if not os.access(binary, os.X_OK):
        busy = f"another build has held {folder / 'build.lock'} for an hour; end it and try again"
        with file_lock(folder / "build.lock", wait_seconds=_BUILD_WAIT_SECONDS, busy=busy):
            # Another process may have built it while this one waited.
            if not os.access(binary, os.X_OK):
                go = str(find_go(pinned_tools().go_version))
                build = command(go, binary.with_name(f"{name}.part"))
                compile_binary(build, source, binary, label, progress)
    return binary
