import hashlib
from pathlib import Path

import pytest

from hydatis.sandbox.bundled import tool_module
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program, ToolModule, Version

GO_MOD = """module example.dev/tools

go 1.26.0

tool k8s.io/kubernetes/cmd/kubectl

require go.etcd.io/etcd/server/v3 v3.7.0

require (
\thelm.sh/helm/v3 v3.22.0
\tk8s.io/kubernetes v1.37.2
\tsigs.k8s.io/kwok v0.8.0 // indirect
)

replace k8s.io/api => k8s.io/api v0.37.2
"""


def _write(folder: Path, go_mod: str) -> Path:
    (folder / "go.mod").write_text(go_mod)
    (folder / "go.sum").write_bytes(b"checksums\n")
    return folder


def test_versions_come_from_single_and_grouped_requirements(tmp_path: Path) -> None:
    module = ToolModule.read(_write(tmp_path, GO_MOD))
    assert module.go_version == Version(1, 26, 0)
    assert module.version_text(Program.ETCD) == "v3.7.0"
    assert module.version_text(Program.HELM) == "v3.22.0"
    assert {module.version(program) for program in Program if program.value.startswith("kube")} == {Version(1, 37, 2)}


def test_the_cache_key_is_the_start_of_the_checksum_of_go_sum(tmp_path: Path) -> None:
    module = ToolModule.read(_write(tmp_path, GO_MOD))
    assert module.key == hashlib.sha256(b"checksums\n").hexdigest()[:16]


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (GO_MOD.replace("go 1.26.0", ""), "`go` line"),
        (GO_MOD.replace("sigs.k8s.io/kwok", "example.dev/other"), "sigs.k8s.io/kwok"),
    ],
)
def test_a_go_mod_that_pins_too_little_is_refused(tmp_path: Path, broken: str, named: str) -> None:
    with pytest.raises(SandboxError, match=named):
        ToolModule.read(_write(tmp_path, broken))


def test_a_missing_module_is_one_sentence_and_no_os_error(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot read the Go tool module: .*go\.mod"):
        ToolModule.read(tmp_path)


def test_this_projects_module_pins_every_program_as_a_tool() -> None:
    folder = tool_module()
    tools = (folder / "go.mod").read_text().partition("tool (")[2].partition(")")[0].split()
    assert sorted(tools) == sorted(program.package for program in Program)
    module = ToolModule.read(folder)
    assert all(module.version(program) > Version(0, 0, 0) for program in Program)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("go1.26.8", Version(1, 26, 8)),
        ("go1.27", Version(1, 27, 0)),
        ("v1.37.2-rc.1+build", Version(1, 37, 2)),
        ("Kubernetes v1.37.2\n", Version(1, 37, 2)),
        ("devel +abc", None),
        ("", None),
    ],
)
def test_a_version_is_found_in_text(text: str, expected: Version | None) -> None:
    assert Version.find(text) == expected
