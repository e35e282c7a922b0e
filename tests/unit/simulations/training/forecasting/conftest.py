import pytest

pytest.importorskip("lightgbm", reason="forecasts need the extra `models`")

from hydatis.simulations.training.forecasting.forecaster import Forecaster
from hydatis.simulations.training.forecasting.series import made_up_series


@pytest.fixture(scope="session")
def forecaster() -> Forecaster:
    return Forecaster.fit(made_up_series(1), 12, 1, rounds=40)
