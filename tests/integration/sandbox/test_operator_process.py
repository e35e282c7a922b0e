import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import FULL, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.installing import install_chart
from hydatis.sandbox.nodes import create_nodes
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.processes import ProcessIdentity


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("installed"), FULL) as started:
        create_nodes(started, 1)
        yield started


def test_the_operator_runs_with_the_charts_account_and_is_killed_and_started_again(own: ControlPlane) -> None:
    kubeconfig = install_chart(own)
    with OperatorProcess.start(kubeconfig, scheduler_name="another") as operator:
        assert operator.ready()
        assert operator.ready_seconds > 0
        own.kubectl("run", "p", "--image=i", '--overrides={"spec": {"schedulerName": "another"}}')
        own.kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=30s")
        assert operator.metrics()["process_resident_memory_bytes"] > 2**20
        operator.kill()
        assert not operator.alive()
        with pytest.raises(SandboxError, match="metrics: no answer"):
            operator.metrics()
    with OperatorProcess.start(kubeconfig) as again:
        assert again.alive()
        stopping = time.monotonic()
        again.stop()
        assert not again.alive()
        assert time.monotonic() - stopping < 20


def test_an_operator_that_cannot_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"the operator exited with status [12] before(.|\n)*absent"):
        OperatorProcess.start(tmp_path / "absent.yaml", log=tmp_path / "operator.log")


def test_an_operator_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\necho my id is $$\nexec sleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(SandboxError, match=r"is not ready after 2 s(.|\n)*my id is \d+") as raised:
        OperatorProcess.start(tmp_path / "any.yaml", python=slow, deadline_seconds=2)
    assert ProcessIdentity.of(int(str(raised.value).split()[-1])) is None
