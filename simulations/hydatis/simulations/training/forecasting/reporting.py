"""The evaluation of forecasts as tables, for the terminal and for the documentation."""

from rich.table import Table

from hydatis.simulations.console import plain_console
from hydatis.simulations.intervals import Interval
from hydatis.simulations.markdown import results_table
from hydatis.simulations.training.forecasting.evaluating import (
    LAST_VALUE,
    METHODS,
    MODEL,
    PLAIN,
    YESTERDAY,
    ForecastEvaluation,
    HorizonResult,
)

_TITLES = (
    "minutes",
    "machines",
    *(f"MAE of {method}" for method in METHODS),
    f"MASE by {LAST_VALUE}",
    f"MASE by {YESTERDAY}",
    f"better than {LAST_VALUE} on",
    "upper bound held",
)


def print_evaluation(evaluation: ForecastEvaluation) -> None:
    """Print a row for each horizon and group of machines."""
    table = Table(*_TITLES)
    for result in evaluation.horizons:
        table.add_row(*_cells(result))
    plain_console().print(table)


def markdown_table(evaluation: ForecastEvaluation) -> str:
    """Return the table of the documentation."""
    return results_table(_TITLES, map(_cells, evaluation.horizons), texts=(1,))


def _cells(result: HorizonResult) -> tuple[str, ...]:
    return (
        str(result.minutes),
        f"{result.group} ({result.machines})",
        _text(result.errors[MODEL]),
        *(f"{result.errors[method].mean:.3f}" for method in (PLAIN, LAST_VALUE, YESTERDAY)),
        _text(result.scaled[LAST_VALUE]),
        _text(result.scaled[YESTERDAY]),
        f"{100 * result.machines_better[LAST_VALUE]:.0f} %",
        f"{100 * result.covered.mean:.1f} %",
    )


def _text(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.mean:.3f} ({interval.low:.3f} to {interval.high:.3f})"
