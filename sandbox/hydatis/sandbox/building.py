"""Builds the control plane's programs that are missing on this machine, from the Go tool module, into the user's cache.

A build writes `<name>.part` and renames it, so a binary in the cache is always whole; a file lock lets one process
build at a time, and the others then find the binary. The first build of all takes minutes, so progress is told at least
every 15 seconds.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from hydatis.sandbox.binaries import binary_folder, locate, pinned_tools
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program
from hydatis.sandbox.locking import file_lock
from hydatis.sandbox.toolchain import find_go, go_environment

Progress = Callable[[str], None]

_TOLD_EVERY_SECONDS = 15.0
_POLL_SECONDS = 0.5
_LOCK_WAIT_SECONDS = 3600.0
_LAST_LINES = 15


def silent(message: str) -> None:
    """Tells nobody; the default progress."""


def provide(programs: Collection[Program], progress: Progress = silent) -> Mapping[Program, Path]:
    """The binary of each program; those that are not on this machine are built first.

    Raises `SandboxError` where Go is missing or too old, or a build fails.
    """
    found = {program: locate(program) for program in programs}
    if any(binary is None for binary in found.values()):
        lock = binary_folder().parent / "build.lock"
        progress("building the control plane's programs; this happens once and takes minutes")
        with file_lock(
            lock,
            wait_seconds=_LOCK_WAIT_SECONDS,
            busy=f"another build has held {lock} for an hour; end it and try again",
        ):
            # Another process may have built some while this one waited.
            missing = [program for program in Program if program in programs and locate(program) is None]
            for number, program in enumerate(missing, start=1):
                _build(program, f"{program} ({number} of {len(missing)})", progress)
        found = {program: locate(program) for program in programs}
    return {program: binary.path for program, binary in found.items() if binary is not None}


def build_command(go: Path, program: Program, output: Path) -> list[str]:
    """The command that builds `program`. Without the version set by the linker Kubernetes' programs report v0.0.0."""
    version = pinned_tools().version_text(Program.APISERVER)
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion={version}"
    cores = str(os.cpu_count() or 1)
    return [str(go), "build", "-p", cores, "-trimpath", "-ldflags", flags, "-o", str(output), program.package]


def _build(program: Program, label: str, progress: Progress) -> None:
    part = binary_folder() / f"{program}.part"
    command = build_command(find_go(pinned_tools().go_version), program, part)
    compile_binary(command, pinned_tools().folder, binary_folder() / program, label, progress)


def compile_binary(command: list[str], source: Path, binary: Path, label: str, progress: Progress) -> None:
    """Run a build `command` in `source` that writes `<binary>.part`, which then becomes `binary`.

    Raises `SandboxError` with the end of the build's output where it fails.
    """
    binary.parent.mkdir(parents=True, exist_ok=True)
    log = binary.parent.parent / f"{binary.name}.build.log"
    started = time.monotonic()
    progress(f"building {label}")
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            cwd=source,
            env=go_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A group of its own, so that an interrupted build ends with all its compilers.
            process_group=0,
        )
        try:
            _follow(process, label, started, progress)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if process.returncode != 0:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
        raise SandboxError(
            f"building {binary.name} failed; go said:\n{tail}\n"
            "Check the network (GOPROXY) and the free disk space (4 GB in all), then try again; "
            f"the whole output is in {log}"
        )
    binary.with_name(f"{binary.name}.part").replace(binary)
    progress(f"built {label} in {time.monotonic() - started:.0f} s")


def _follow(process: subprocess.Popen[bytes], label: str, started: float, progress: Progress) -> None:
    told = started
    while process.poll() is None:
        time.sleep(_POLL_SECONDS)
        now = time.monotonic()
        if now - told >= _TOLD_EVERY_SECONDS:
            told = now
            progress(f"building {label}, {now - started:.0f} s elapsed")
