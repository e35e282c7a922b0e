"""`hydatis train`: one command a model, each from the room that trains it."""

import typer

from hydatis.simulations.training.anomaly.commands import anomaly
from hydatis.simulations.training.forecasting.commands import forecast
from hydatis.simulations.training.load.commands import load
from hydatis.simulations.training.placement.commands import placement

train = typer.Typer(help="Train the models that score nodes, and say how good they are.", no_args_is_help=True)
train.command("load")(load)
train.command("anomaly")(anomaly)
train.command("forecast")(forecast)
train.command("placement")(placement)
