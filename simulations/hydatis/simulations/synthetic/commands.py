"""`hydatis synthetic`: the generator of made-up workloads, fitted on recorded traces."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hydatis.simulations.synthetic.parameters import Parameters

synthetic = typer.Typer(
    help="Fit the generator of made-up workloads to recorded traces, and show how well it does.",
    no_args_is_help=True,
)


@synthetic.command()
def fit(
    output: Annotated[Path, typer.Argument(help="File for the parameters (JSON).")],
    *,
    on: Annotated[str, typer.Option(help="Date to write down as that of the fit (YYYY-MM-DD); default today.")] = "",
) -> None:
    """Fit the generator's parameters to the traces in the folder HYDATIS_DATA.

    Needs openb, bitbrains_rnd, alibaba_genai2026 and alibaba2018_machines. The file holds aggregated numbers only.

    Example: HYDATIS_DATA=~/traces hydatis synthetic fit parameters.json
    """
    from datetime import date

    from hydatis.simulations.synthetic.fitting import fit as fit_parameters
    from hydatis.simulations.traces.errors import TraceError
    from hydatis.simulations.traces.folder import DataFolder

    try:
        fitted_on = date.fromisoformat(on) if on else date.today()
        output.write_text(fit_parameters(DataFolder.from_environment(), fitted_on).text())
    except (TraceError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"wrote {output}")


@synthetic.command()
def figure(
    output: Annotated[Path, typer.Argument(help="File for the figure (.png, .svg, .pdf).")],
    *,
    parameters: Annotated[Path | None, typer.Option(help="Parameters from `fit`; default the shipped ones.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the generator.")] = 1,
) -> None:
    """Draw the generator beside the traces in the folder HYDATIS_DATA: arrivals, requests, lifetimes, usage.

    Example: HYDATIS_DATA=~/traces hydatis synthetic figure fit.png
    """
    from hydatis.simulations.synthetic.comparing import draw_figure
    from hydatis.simulations.traces.errors import TraceError
    from hydatis.simulations.traces.folder import DataFolder

    try:
        draw_figure(DataFolder.from_environment(), _parameters(parameters), seed, output)
    except (TraceError, OSError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"wrote {output}")


def _parameters(path: Path | None) -> "Parameters":
    from hydatis.simulations.synthetic.parameters import Parameters

    return Parameters.shipped() if path is None else Parameters.read(path)
