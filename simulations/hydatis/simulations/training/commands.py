"""`hydatis train`: one command a model, each from the room that trains it."""

import typer

from hydatis.simulations.training.anomaly.commands import anomaly
from hydatis.simulations.training.placement.commands import placement

train = typer.Typer(help="Train the models that score nodes, and say how good they are.", no_args_is_help=True)
train.command("anomaly")(anomaly)
train.command("placement")(placement)


@train.callback()
def _group() -> None:
    """Make a group of it also while there is but one command."""
