import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.processes import ChildProcess, ProcessIdentity, spawn


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def _identity(process: subprocess.Popen[bytes]) -> ProcessIdentity:
    identity = ProcessIdentity.of(process.pid)
    assert identity is not None
    return identity


def test_an_identity_holds_while_the_process_runs_and_not_after(sleeper: subprocess.Popen[bytes]) -> None:
    identity = _identity(sleeper)
    assert identity.alive()
    sleeper.kill()
    sleeper.wait()
    assert not identity.alive()


def test_a_zombie_has_ended(sleeper: subprocess.Popen[bytes]) -> None:
    identity = _identity(sleeper)
    os.kill(sleeper.pid, signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.alive()
    assert ProcessIdentity.of(sleeper.pid) is None


def test_a_process_that_got_the_id_of_another_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    earlier = ProcessIdentity(sleeper.pid, "started at another time")
    assert not earlier.alive()
    earlier.send(signal.SIGKILL)
    ChildProcess(earlier, Path("unused.log")).stop(kill=True)
    assert sleeper.poll() is None


def test_a_signal_to_a_process_that_is_gone_does_nothing(sleeper: subprocess.Popen[bytes]) -> None:
    identity = _identity(sleeper)
    sleeper.kill()
    sleeper.wait()
    identity.send(signal.SIGTERM)


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    ignoring = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    child = spawn([sys.executable, "-c", ignoring], tmp_path / "log", detached=False)
    while "on" not in child.log.read_text():
        time.sleep(0.01)
    child.stop(grace_seconds=0.2)
    assert not child.alive()
    assert child.exit_status() == "was ended by signal 9"


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    children: list[ChildProcess] = []
    thread = threading.Thread(
        target=lambda: children.append(spawn(["/bin/sleep", "60"], tmp_path / "log", detached=False))
    )
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert children[0].alive()
    children[0].stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does this on Linux only")
@pytest.mark.parametrize(("detached", "survives"), [(False, False), (True, True)])
def test_only_a_detached_child_survives_the_sigkill_of_its_owner(
    tmp_path: Path, detached: bool, survives: bool
) -> None:
    script = (
        "import time; from pathlib import Path; from hydatis.sandbox.processes import spawn; "
        f"child = spawn(['/bin/sleep', '60'], Path({str(tmp_path / 'log')!r}), detached={detached}); "
        "time.sleep(0.3); print(child.pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    identity = ProcessIdentity.of(int(owner.stdout.readline()))
    assert identity is not None
    owner.kill()
    owner.wait()
    owner.stdout.close()
    time.sleep(0.3)
    assert identity.alive() is survives
    identity.send(signal.SIGKILL)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="cannot start /nonexistent/program"):
        spawn(["/nonexistent/program"], tmp_path / "log", detached=True)
