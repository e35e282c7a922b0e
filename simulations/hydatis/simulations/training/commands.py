"""`hydatis train`: one command a model, each from the room that trains it, one for all, one that makes them ship."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.training.anomaly.commands import anomaly
from hydatis.simulations.training.forecasting.commands import forecast
from hydatis.simulations.training.load.commands import load
from hydatis.simulations.training.placement.commands import placement
from hydatis.simulations.training.sentences import ending_in_a_sentence

train = typer.Typer(help="Train the models that score nodes, and say how good they are.", no_args_is_help=True)
train.command("load")(load)
train.command("anomaly")(anomaly)
train.command("forecast")(forecast)
train.command("placement")(placement)

_Version = Annotated[str, typer.Option(help="Version of all of them; the MLModels are named KIND-VERSION.")]
_Output = Annotated[Path, typer.Option(help="Folder for load.yaml, placement.yaml, anomaly.yaml and policy.yaml.")]


@train.command("all")
def train_all(
    *,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")] = 1,
    version: _Version = "1",
    output: _Output = Path("models"),
) -> None:
    """Train the load, the placement and the anomaly model, one after the other, and write the manifests that ship.

    Each is trained as its own command does it by default. The traces are in the folder HYDATIS_DATA; without it
    workloads are made up, and the models are poor. On two cores it takes about an hour, most of it the load model.

    Example: HYDATIS_DATA=~/traces hydatis train all --seed 1 --version 2 --output models
    """
    import tempfile
    from datetime import UTC, datetime

    from hydatis.simulations.sweeps.code_version import code_version
    from hydatis.simulations.sweeps.data_version import data_version

    with (
        ending_in_a_sentence("hydatis train all", "training"),
        tempfile.TemporaryDirectory(prefix="hydatis-train-") as folder,
    ):
        from hydatis.simulations.training.packing import Facts, pack_models

        recorded = data_version()
        # An hour later is too late to find out.
        output.mkdir(parents=True, exist_ok=True)
        files = {kind: Path(folder) / f"{kind.lower()}.onnx" for kind in ModelKind}
        load(seed=seed, onnx=files[ModelKind.LOAD])
        placement(seed=[seed], runs=0, onnx=files[ModelKind.PLACEMENT])
        anomaly(seed=seed, onnx=files[ModelKind.ANOMALY])
        provenance: dict[str, str | int] = {
            "trainedAt": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "data": f"recorded traces {recorded}" if recorded else "made-up workloads",
            "seed": seed,
            "codeVersion": code_version(),
        }
        for path in files.values():
            Facts(provenance=provenance).write_beside(path)
        _tell(pack_models(files, output, version=version))


@train.command("pack")
def pack(
    *,
    load_file: Annotated[Path, typer.Option("--load", help="ONNX file of the load model.")],
    placement_file: Annotated[Path, typer.Option("--placement", help="ONNX file of the placement model.")],
    anomaly_file: Annotated[Path, typer.Option("--anomaly", help="ONNX file of the anomaly model.")],
    version: _Version = "1",
    output: _Output = Path("models"),
) -> None:
    """Write trained models as the manifests that ship: an MLModel each, and the policy that puts them to use.

    Each is tried as a cluster would try it; what would be refused there is refused here, and nothing is written. What
    is known of a training is read from NAME.facts.json beside NAME.onnx, an object of metrics and provenance as an
    MLModel has them.

    Example: hydatis train pack --load load.onnx --placement placement.onnx --anomaly anomaly.onnx --version 2
    """
    with ending_in_a_sentence("hydatis train pack", "models"):
        from hydatis.simulations.training.packing import pack_models

        files = {ModelKind.LOAD: load_file, ModelKind.PLACEMENT: placement_file, ModelKind.ANOMALY: anomaly_file}
        _tell(pack_models(files, output, version=version))


def _tell(written: Iterable[Path]) -> None:
    for path in written:
        typer.echo(f"wrote {path}", err=True)
