"""A control plane for the tests of chart and definitions alone: they install and remove cluster-wide objects."""

from collections.abc import Iterator

import pytest

from hydatis.sandbox.controlplane import ControlPlane


@pytest.fixture(scope="module")
def own_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("charts")) as control_plane:
        yield control_plane
