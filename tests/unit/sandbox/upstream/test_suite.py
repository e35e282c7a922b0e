"""The tests' program, with shell scripts in its place and in the Go toolchain's."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.bundled import upstream_module
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.upstream.suite import (
    Result,
    SuiteRun,
    chosen,
    kubernetes_version,
    provide_suite,
    scheduler_tests,
)

GO = """#!/bin/sh
if [ "$1" = env ]; then echo go1.99.0; exit 0; fi
echo "$PWD $@" >> "$STAND_IN_LOG"
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' > "$2"; chmod 755 "$2"
"""
LIST = """
for argument; do case $argument in -ginkgo.json-report=*) file=${argument#*=};; esac; done
cat > "$file" <<'END'
[{"SpecReports": [
  {"LeafNodeType": "BeforeSuite", "ContainerHierarchyTexts": [], "LeafNodeText": ""},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-scheduling] B"], "LeafNodeText": "places [Serial]"},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-scheduling] A", "C"], "LeafNodeText": "spreads"},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-scheduling] LimitRange"], "LeafNodeText": "defaults"},
  {"LeafNodeType": "It", "ContainerHierarchyTexts": ["[sig-scheduling] G [FeatureGate:X]"], "LeafNodeText": "gangs"}
]}]
END
"""


def stand_in(folder: Path, script: str) -> Path:
    program = folder / "upstream"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_the_tests_are_built_once_from_their_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "path"
    path.mkdir()
    for name in ("sh", "chmod"):
        (path / name).symlink_to(f"/bin/{name}")
    (path / "go").write_text(GO)
    (path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STAND_IN_LOG", str(tmp_path / "go.log"))
    assert provide_suite() == provide_suite()
    (line,) = (tmp_path / "go.log").read_text().splitlines()
    assert line.startswith(f"{upstream_module()} test -c ")


def test_the_control_plane_and_the_tests_are_of_one_version() -> None:
    pinned = re.search(r"k8s\.io/kubernetes (v\S+)", (upstream_module().parent / "controlplane/go.mod").read_text())
    assert pinned is not None
    assert kubernetes_version() == pinned[1]


def test_tests_of_the_api_server_and_of_gated_features_are_left_out(tmp_path: Path) -> None:
    assert scheduler_tests(stand_in(tmp_path, LIST)) == [
        "[sig-scheduling] A C spreads",
        "[sig-scheduling] B places [Serial]",
    ]


def test_a_program_that_lists_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"does not list its tests(.|\n)*no such flag"):
        scheduler_tests(stand_in(tmp_path, "echo no such flag >&2; exit 2"))


def test_a_focus_picks_tests_by_a_regular_expression() -> None:
    assert chosen(["taints", "gates", "ports"], "^(taints|ports)$") == ["taints", "ports"]
    assert chosen(["taints", "gates"], None) == ["taints", "gates"]


@pytest.mark.parametrize(
    ("focus", "problem"), [("(", "is not a regular expression"), ("volumes", "finds none of the 2 tests")]
)
def test_a_focus_that_picks_nothing_is_told(focus: str, problem: str) -> None:
    with pytest.raises(SandboxError, match=problem):
        chosen(["taints", "gates"], focus)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[SuiteRun]:
    """A program that tells of one test, and half of another."""
    script = """
for argument; do case $argument in -progress-file=*) file=${argument#*=};; esac; done
echo "$@"
echo '{"test": "one", "state": "started", "seconds": 0}' >> "$file"
printf '{"test": "one", "state": "failed", "seconds": 2.5, "message": "no", "location": "a.go:1"}\\n{"te' >> "$file"
"""
    run = SuiteRun(stand_in(tmp_path, script), tmp_path / "kubeconfig", tmp_path / "run", ["one [a]"], nodes=4, seed=7)
    yield run
    run.stop()


def ended(run: SuiteRun) -> None:
    deadline = time.monotonic() + 10
    while run.running():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_news_are_told_once_and_only_whole_lines(started: SuiteRun) -> None:
    ended(started)
    assert list(started.news()) == [Result("one", "started", 0), Result("one", "failed", 2.5, "no", "a.go:1")]
    assert list(started.news()) == []


def test_what_an_earlier_run_left_in_the_folder_does_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "progress.jsonl").write_text('{"test": "one", "state": "passed", "seconds": 1}\n')
    run = SuiteRun(stand_in(tmp_path, "exit 1"), tmp_path / "kubeconfig", folder, ["one"], nodes=4, seed=7)
    ended(run)
    assert list(run.news()) == []


def test_the_program_is_told_the_cluster_the_seed_and_each_test_by_its_full_name(started: SuiteRun) -> None:
    ended(started)
    arguments = started.log_end()
    for part in ("-ginkgo.seed=7", "-num-nodes=4", r"-ginkgo.focus=one\ \[a\]$", "kubeconfig"):
        assert part in arguments
