"""Fixtures that every test may use: a real control plane, started once a session and only where a test asks for it."""

import sys
from collections.abc import Iterator

import pytest

from hydatis.sandbox.controlplane import FULL, MINIMAL, ControlPlane


def _tell(message: str) -> None:
    # A first build takes minutes, so this goes past pytest's capturing.
    print(message, file=sys.__stderr__, flush=True)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd and the API server, shared by the session's tests: each uses names of its own."""
    with ControlPlane.start(tmp_path_factory.mktemp("control-plane"), MINIMAL, progress=_tell) as started:
        yield started


@pytest.fixture(scope="session")
def full_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """Also kube-controller-manager and KWOK, shared by the session's tests: each uses names of its own."""
    with ControlPlane.start(tmp_path_factory.mktemp("full-control-plane"), FULL, progress=_tell) as started:
        yield started
