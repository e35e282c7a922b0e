"""The forecasters that leave the room: fitted on all there is, as ONNX."""

from collections.abc import Sequence

from hydatis.simulations.training.forecasting.exporting import onnx_of
from hydatis.simulations.training.forecasting.forecaster import ROUNDS, Forecaster
from hydatis.simulations.training.forecasting.series import LoadSeries


def served_onnx(machines: Sequence[LoadSeries], horizon: int, seed: int, rounds: int = ROUNDS) -> bytes:
    """Fit on all of all machines and return it as ONNX.

    Raises:
        SimulationError: there are too few machines or too short ones.

    """
    return onnx_of(Forecaster.fit(machines, horizon, seed, rounds=rounds))
