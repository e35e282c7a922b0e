"""Kubernetes' `[sig-scheduling]` tests as a program: built from the Go module beside the tests, listed, and started.

The tests are Kubernetes' own and stay as they are; `tests/upstream` only makes a binary of them that tells its progress
line by line.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydatis.sandbox.building import Progress, silent
from hydatis.sandbox.bundled import upstream_module
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.own_programs import kubernetes_version_of, provide_own
from hydatis.sandbox.processes import ChildProcess, log_tail, spawn

_LIST_SECONDS = 120.0
_NOT_OF_A_SCHEDULER = re.compile(r"LimitRange|\[FeatureGate:")
"""LimitRange is the API server's; what a feature gate keeps off, the sandbox's API server does not have."""
_PASSED = "passed"


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended."""

    test: str
    state: str
    """As Ginkgo calls it: `passed`, `failed`, `skipped`, `timedout`, `panicked`, …"""
    seconds: float
    message: str = ""
    """The assertion that failed, or why the test was skipped."""
    location: str = ""
    """Where in Kubernetes' sources."""

    @property
    def passed(self) -> bool:
        """Whether it ran and passed."""
        return self.state == _PASSED


def kubernetes_version() -> str:
    """The version of Kubernetes whose tests they are, such as `v1.37.2`."""
    return kubernetes_version_of(upstream_module())


def provide_suite(progress: Progress = silent) -> Path:
    """The tests' binary; built first where the cache has none of these sources.

    Raises `SandboxError` where Go is missing or the build fails.
    """
    return provide_own("upstream", upstream_module(), "Kubernetes' scheduling tests", _build_command, progress)


def _build_command(go: str, output: Path) -> list[str]:
    cores = str(os.cpu_count() or 1)
    return [go, "test", "-c", "-p", cores, "-trimpath", "-ldflags", "-s -w", "-o", str(output), "."]


def scheduler_tests(binary: Path) -> list[str]:
    """The names of the tests that a scheduler has to pass, in alphabetical order.

    Raises `SandboxError` where the binary does not list any.
    """
    with tempfile.TemporaryDirectory(prefix="hydatis-e2e-") as folder:
        report = Path(folder) / "list.json"
        command = [str(binary), "-ginkgo.dry-run", f"-ginkgo.json-report={report}", "-ginkgo.focus=sig-scheduling"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_LIST_SECONDS, check=False)
        if answer.returncode != 0 or not report.exists():
            raise SandboxError(f"{binary} does not list its tests; it said:\n{answer.stdout[-2000:]}{answer.stderr}")
        (suite,) = json.loads(report.read_text(encoding="utf-8"))
    names = (_full_text(spec) for spec in suite["SpecReports"] if spec["LeafNodeType"] == "It")
    return sorted(name for name in names if not _NOT_OF_A_SCHEDULER.search(name))


def _full_text(spec: dict[str, list[str]]) -> str:
    return " ".join([*spec["ContainerHierarchyTexts"], str(spec["LeafNodeText"])])


def chosen(tests: Sequence[str], focus: str | None) -> list[str]:
    """Those whose name the regular expression `focus` finds. Raises `SandboxError` where there is none."""
    try:
        pattern = re.compile(focus or "")
    except re.error as error:
        raise SandboxError(f"--focus {focus!r} is not a regular expression: {error}") from error
    found = [test for test in tests if pattern.search(test)]
    if not found:
        raise SandboxError(f"--focus {focus!r} finds none of the {len(tests)} tests; leave it out to run all of them")
    return found


class SuiteRun:
    """Some of the tests, running against one cluster, in an order that the seed decides."""

    def __init__(self, binary: Path, kubeconfig: Path, folder: Path, tests: Sequence[str], *, nodes: int, seed: int):
        """Start them. `folder` gets the log, the progress and JUnit's report."""
        folder.mkdir(parents=True, exist_ok=True)
        self.tests = tuple(tests)
        self.log = folder / "tests.log"
        self._progress = folder / "progress.jsonl"
        self._read = 0
        for file in (self.log, self._progress):
            # What an earlier run left would be taken for this one's.
            file.unlink(missing_ok=True)
        command = [
            str(binary),
            f"-kubeconfig={kubeconfig}",
            # No cloud: nothing but the API server is asked.
            "-provider=skeleton",
            # Tests that need two nodes or more believe this number.
            f"-num-nodes={nodes}",
            # Pulling logs and metrics from components that no pod runs would only take time.
            "-dump-logs-on-failure=false",
            "-ginkgo.v",
            "-ginkgo.no-color",
            f"-ginkgo.seed={seed}",
            "-ginkgo.timeout=4h",
            f"-ginkgo.junit-report={folder / 'junit.xml'}",
            f"-progress-file={self._progress}",
            *(f"-ginkgo.focus={re.escape(test)}$" for test in tests),
        ]
        self._process: ChildProcess = spawn(command, self.log, detached=False)

    def running(self) -> bool:
        """True until the last test has ended."""
        return self._process.alive()

    def news(self) -> Iterator[Result]:
        """What happened since the last call: tests that started (state `started`) and tests that ended."""
        try:
            with self._progress.open("rb") as file:
                file.seek(self._read)
                lines = file.readlines()
        except FileNotFoundError:
            return
        for line in lines:
            # The last line may be half written.
            if line.endswith(b"\n"):
                self._read += len(line)
                yield Result(**json.loads(line))

    def log_end(self) -> str:
        """The last lines of its log."""
        return log_tail(self.log)

    def stop(self) -> None:
        """End it. Idempotent."""
        self._process.stop()
