"""A control plane for the tests of chart and definitions alone: they install and remove cluster-wide objects."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import ControlPlane

CRDS = Path(__file__).resolve().parents[3] / "crds"


@pytest.fixture(scope="module")
def own_control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("charts")) as control_plane:
        yield control_plane


@pytest.fixture(scope="module")
def server(own_control_plane: ControlPlane) -> ControlPlane:
    """Knows the custom resources."""
    own_control_plane.kubectl("apply", "-f", str(CRDS))
    own_control_plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
    return own_control_plane
