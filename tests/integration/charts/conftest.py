"""A control plane of their own for the tests of definitions and chart, which install and remove what others stand on."""

from collections.abc import Iterator

import pytest

from hydatis.sandbox.controlplane import ControlPlane


@pytest.fixture(scope="module")
def own_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("charts")) as control_plane:
        yield control_plane
