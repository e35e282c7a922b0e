"""The anomaly model that scores nodes: one for all of them, without memory, as ONNX. Its rows are `NODE_SCHEMA`'s."""

from collections.abc import Mapping, Sequence

from hydatis.scheduler.features.columns import NODE_SCHEMA
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.training.anomaly.detectors import members_of
from hydatis.simulations.training.anomaly.exporting import EXPORTABLE, onnx_of
from hydatis.simulations.training.anomaly.simulated_nodes import HOURS, SCENARIOS, node_rows
from hydatis.simulations.training.anomaly.windowed import WindowedDetector

SERVED_NEIGHBOUR_ROWS = 128
"""Few enough that 5,000 nodes are scored within some milliseconds."""


def check_served(name: str) -> None:
    """Raises SimulationError when there is no such detector, or it cannot be exported."""
    members_of(name)
    if name not in EXPORTABLE:
        raise SimulationError(f"the detector {name} cannot be exported; use one of {', '.join(EXPORTABLE)}.")


def served_detector(name: str, seed: int, rows: Float32Array) -> WindowedDetector:
    """Fit on rows of `NODE_SCHEMA`, of all nodes together; nothing is smoothed, and nothing is told of the past that
    the schema does not tell.

    Raises:
        SimulationError: there is no such detector.

    """
    return WindowedDetector.fit(rows, name, seed, span=1, neighbour_rows=SERVED_NEIGHBOUR_ROWS, differences=False)


def served_onnx(
    name: str,
    seed: int,
    environment: Mapping[str, str],
    *,
    scenarios: Sequence[str] = SCENARIOS,
    hours: float = HOURS,
) -> bytes:
    """Fit on the nodes of simulated clusters and return it as ONNX; see `simulated_nodes`. Some minutes.

    Raises:
        SimulationError: there is no such detector, none that can be exported, or a scenario cannot be played.
        TraceError: the traces that `environment` names cannot be read.

    """
    check_served(name)
    return exported(served_detector(name, seed, node_rows(environment, seed, scenarios=scenarios, hours=hours)))


def exported(fitted: WindowedDetector) -> bytes:
    """Return a served detector as ONNX, from rows of `NODE_SCHEMA` to scores."""
    return onnx_of(fitted.detector, fitted.calibration, NODE_SCHEMA.width, fitted.features)
