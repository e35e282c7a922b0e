import numpy as np

from hydatis.simulations.traces.forms import UsageSeries
from hydatis.simulations.training.forecasting.series import even_series, made_up_series


def test_samples_of_the_same_five_minutes_are_averaged_and_gaps_hold_the_last_value() -> None:
    times = np.array([610.0, 700.0, 930.0, 1805.0])
    usage = UsageSeries("a", times, {"cpu_percent": np.array([2.0, 4.0, np.nan, 9.0])})
    (series,) = even_series([usage])
    assert series.start_seconds == 600.0
    assert series.cpu_percent.tolist() == [3.0, 3.0, 3.0, 3.0, 9.0]
    assert series.known.tolist() == [True, False, False, False, True]


def test_a_machine_without_a_sample_is_left_out() -> None:
    nothing = UsageSeries("a", np.array([0.0]), {"cpu_percent": np.array([np.nan])})
    assert list(even_series([nothing])) == []


def test_made_up_machines_follow_the_seed() -> None:
    assert np.array_equal(made_up_series(1)[3].cpu_percent, made_up_series(1)[3].cpu_percent)
    assert not np.array_equal(made_up_series(1)[3].cpu_percent, made_up_series(2)[3].cpu_percent)
