"""What is known of owners outlives the operator: kept in ConfigMaps, found again, and refused when it is garbage."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from hydatis.operator.owner_memory import NAME
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_archive import read, write
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.remembered_owners import RememberedOwners

SYSTEM_NAMESPACE = "hydatis-system"
CONFIG_MAPS = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps"
START = Callable[..., OperatorProcess]


class Archive:
    """The ConfigMaps of the operator."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.api = control_plane.api

    def put(self, data: bytes) -> None:
        """Write an archive as another operator would have."""
        self.clear()
        text = base64.b64encode(data).decode()
        self.api.call("POST", CONFIG_MAPS, {"metadata": {"name": f"{NAME}-a-0"}, "binaryData": {"archive": text}})
        index = {"slot": "a", "chunks": "1", "sha256": hashlib.sha256(data).hexdigest()}
        self.api.call("POST", CONFIG_MAPS, {"metadata": {"name": NAME}, "data": index})

    def index(self) -> dict[str, str]:
        found: dict[str, str] = self.api.call("GET", f"{CONFIG_MAPS}/{NAME}")["data"]
        return found

    def read(self) -> RememberedOwners:
        chunk = self.api.call("GET", f"{CONFIG_MAPS}/{NAME}-{self.index()['slot']}-0")
        return read(base64.b64decode(chunk["binaryData"]["archive"]), time.time())

    def clear(self) -> None:
        for name in (NAME, f"{NAME}-a-0", f"{NAME}-b-0"):
            with suppress(SandboxError):
                self.api.call("DELETE", f"{CONFIG_MAPS}/{name}")


@pytest.fixture
def archive(stage: Any) -> Iterator[Archive]:
    opened = Archive(stage.control_plane)
    yield opened
    opened.clear()


def remembered() -> RememberedOwners:
    history = OwnerHistory()
    for name, share in (("api", 0.2), ("db", 0.7)):
        number = history.hold(Owner("shop", "Deployment", name))
        history.learn(np.array([number]), np.full((2, 1), share), np.array([60.0]), np.array([1.0]))
    return history.remembered(120.0)


def test_an_operator_that_is_restarted_knows_its_owners(archive: Archive, start_operator: START) -> None:
    before = remembered()
    archive.put(write(before, time.time()))
    for restart in (1, 2):
        operator = start_operator()
        metrics = operator.metrics()
        assert metrics["hydatis_owners_known"] == 2
        assert metrics['hydatis_owner_archives_total{outcome="restored"}'] == 1
        operator.stop()
        # Written anew beside the one before, at the end.
        assert archive.index()["slot"] == ("b" if restart == 1 else "a")
    after = archive.read()
    assert sorted(after.owners) == sorted(before.owners)
    order = [after.owners.index(owner) for owner in before.owners]
    for kept, known in zip(after.tables, before.tables, strict=True):
        assert kept[:, order] == pytest.approx(known, rel=1e-5)
    assert (after.ages[order] >= before.ages).all()
    assert (after.ages[order] < before.ages + 600.0).all()


@pytest.mark.parametrize("data", [b"\x80\x04\x95garbage", b"", write(remembered(), 0.0)[:-7]])
def test_garbage_keeps_no_operator_from_starting(archive: Archive, start_operator: START, data: bytes) -> None:
    archive.put(data)
    operator = start_operator()
    metrics = operator.metrics()
    assert metrics["hydatis_owners_known"] == 0
    assert metrics['hydatis_owner_archives_total{outcome="refused"}'] == 1
    operator.stop()
