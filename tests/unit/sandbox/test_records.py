import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.processes import ProcessIdentity
from hydatis.sandbox.records import ComponentRecord, SandboxRecord, find_record, reap_abandoned, record_path


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def _record(directory: Path, owner: ProcessIdentity | None, process: ProcessIdentity) -> SandboxRecord:
    record = SandboxRecord(directory, owner)
    record.components["etcd"] = ComponentRecord(process, (1234, 5), ["/bin/etcd", "--flag=ü"], "/logs/etcd.log")
    return record


def _identity(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    return identity


GONE = ProcessIdentity(2**22 - 1, "a time at which nothing with this id began")


def test_a_record_is_read_back_as_it_was_written_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    record = _record(tmp_path, ProcessIdentity.own(), GONE)
    record.save()
    assert find_record(tmp_path) == record
    assert record.path.stat().st_mode & 0o777 == 0o600
    record.discard()
    assert find_record(tmp_path) is None


def test_processes_of_a_dead_owner_are_reaped(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    _record(tmp_path, GONE, _identity(sleeper)).save()
    assert reap_abandoned() == 1
    assert sleeper.wait(5) == -9
    assert find_record(tmp_path) is None


@pytest.mark.parametrize("owner", [None, ProcessIdentity.own()], ids=["detached", "owner alive"])
def test_processes_of_a_live_owner_and_of_a_detached_sandbox_are_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], owner: ProcessIdentity | None
) -> None:
    _record(tmp_path, owner, _identity(sleeper)).save()
    assert reap_abandoned() == 0
    assert sleeper.poll() is None
    assert find_record(tmp_path) is not None


def test_a_process_that_got_a_dead_components_id_is_not_reaped(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    _record(tmp_path, GONE, ProcessIdentity(sleeper.pid, "another start time")).save()
    assert reap_abandoned() == 0
    assert sleeper.poll() is None
    assert find_record(tmp_path) is None


@pytest.mark.parametrize("pid", [0, 1, -1, "7", None])
def test_an_id_that_would_reach_other_processes_is_no_record(tmp_path: Path, pid: object) -> None:
    record = _record(tmp_path, GONE, GONE)
    record.save()
    content = json.loads(record.path.read_text())
    content["components"]["etcd"]["process"]["pid"] = pid
    record.path.write_text(json.dumps(content))
    with pytest.raises(SandboxError, match="is not the record of a sandbox"):
        find_record(tmp_path)
    assert reap_abandoned() == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", "null", '{"owner": null, "components": 5, "directory": "/x"}']
)
def test_a_damaged_record_is_refused_with_its_path_and_does_not_stop_reaping(
    tmp_path: Path, sleeper: subprocess.Popen[bytes], content: str
) -> None:
    damaged = record_path(tmp_path / "damaged")
    damaged.parent.mkdir(parents=True)
    damaged.write_text(content)
    _record(tmp_path, GONE, _identity(sleeper)).save()
    with pytest.raises(SandboxError, match=damaged.name):
        find_record(tmp_path / "damaged")
    assert reap_abandoned() == 1
