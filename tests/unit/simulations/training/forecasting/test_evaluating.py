import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.forecasting.evaluating import (
    LAST_VALUE,
    METHODS,
    MODEL,
    YESTERDAY,
    count_of_steps,
    evaluate_forecasts,
    trained_until,
)
from hydatis.simulations.training.forecasting.forecaster import Forecaster
from hydatis.simulations.training.forecasting.reporting import markdown_table
from hydatis.simulations.training.forecasting.series import made_up_series


def test_every_machine_is_judged_once_by_what_did_not_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], int]] = []
    fit = Forecaster.fit

    def watched(machines, *arguments, **named):  # type: ignore[no-untyped-def]
        seen.append(({machine.name for machine in machines}, max(map(len, machines))))
        return fit(machines, *arguments, **named)

    monkeypatch.setattr(Forecaster, "fit", watched)
    steps: list[str] = []
    evaluation = evaluate_forecasts(None, 1, horizons=(3,), blocks=2, rounds=15, done=steps.append)
    machines = made_up_series(1)
    assert len(steps) == count_of_steps(horizons=1, blocks=2)
    assert sorted(result.machine for result in evaluation.machines) == sorted(machine.name for machine in machines)
    for result in evaluation.machines:
        names, longest = seen[result.block]
        assert result.machine not in names
        assert longest == trained_until(machines[0])


def test_its_figures_are_those_of_the_series() -> None:
    evaluation = evaluate_forecasts(None, 1, horizons=(1,), blocks=2, rounds=15)
    machine = made_up_series(1)[4]
    (result,) = (result for result in evaluation.machines if result.machine == machine.name)
    times = np.arange(trained_until(machine), len(machine) - 1, 3)
    outcome = machine.cpu_percent[times + 1]
    assert result.times == len(times)
    assert result.errors[LAST_VALUE] == pytest.approx(np.abs(machine.cpu_percent[times] - outcome).mean())
    assert result.errors[YESTERDAY] == pytest.approx(np.abs(machine.cpu_percent[times + 1 - 288] - outcome).mean())
    whole = next(one for one in evaluation.horizons if one.group == "all")
    means = {method: np.mean([one.errors[method] for one in evaluation.machines]) for method in METHODS}
    scaled = whole.scaled[LAST_VALUE]
    assert scaled is not None
    assert scaled.mean == pytest.approx(means[MODEL] / means[LAST_VALUE])
    assert markdown_table(evaluation).count("\n") == 2 + len(evaluation.horizons)
    assert evaluation.document()["seed"] == 1


def test_too_many_blocks_are_told() -> None:
    with pytest.raises(SimulationError, match="8 machines cannot be dealt into 5 blocks"):
        evaluate_forecasts(None, 1, blocks=5)
