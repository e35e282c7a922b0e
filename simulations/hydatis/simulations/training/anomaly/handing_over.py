"""The anomaly model as it is handed over to be registered, with its card."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hydatis.scheduler.features.columns import NODE_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.training.anomaly.evaluating import FIGURES, AnomalyEvaluation
from hydatis.simulations.training.anomaly.machines import Side
from hydatis.simulations.training.anomaly.reporting import markdown_table
from hydatis.simulations.training.anomaly.serving import SERVED_NEIGHBOUR_ROWS
from hydatis.simulations.training.anomaly.simulated_nodes import POLICY
from hydatis.simulations.training.tracking.card import card_text
from hydatis.simulations.training.tracking.trained_model import TrainedModel


def nodes_text(scenarios: Sequence[str], hours: float) -> str:
    """Say on whose nodes it is fitted."""
    return f"nodes of simulated clusters ({', '.join(scenarios)}; {hours:g} hours each) under {POLICY}"


def trained_anomaly(
    exported: bytes, evaluation: AnomalyEvaluation, *, detector: str, nodes: str, recorded: bool, started: datetime
) -> TrainedModel:
    """Return what `serving.served_onnx` exported with what `evaluate_anomaly` measured of the same detector.

    `nodes` is `nodes_text` of what it was fitted on, `recorded` says whether the traces are recorded ones, `started`
    when the training began.
    """
    machines = "recorded machines of SMD and ASD" if recorded else "other made-up machines"
    return TrainedModel(
        kind=ModelKind.ANOMALY,
        onnx=exported,
        schema_hash=NODE_SCHEMA.hash,
        seed=evaluation.seed,
        data=f"{nodes}; judged on {machines}",
        parameters={"detector": detector, "span": 1, "neighbour_rows": SERVED_NEIGHBOUR_ROWS, "judged_on": machines},
        metrics=_metrics(evaluation),
        card=_card(evaluation, detector, machines, nodes, recorded=recorded),
        started=started,
    )


def _metrics(evaluation: AnomalyEvaluation) -> Mapping[str, float]:
    """Return the means of the validation machines, of all sources together, for every detector."""
    found: dict[str, float] = {}
    for group in evaluation.groups:
        # The sources together come last.
        if group.side is Side.VALIDATION:
            name = group.detector.replace(" ", "_")
            found |= {f"{figure}_{name}": group.figures[figure].mean for figure in FIGURES}
    return found


def _card(evaluation: AnomalyEvaluation, detector: str, machines: str, nodes: str, *, recorded: bool) -> str:
    return card_text(
        title=f"Anomaly model: {detector}, seed {evaluation.seed}",
        what=(
            "Says how unlike nodes usually behave a node behaves, 0 to 100; 50 is what one sample in a thousand of the "
            "training part reached. One model for all nodes, without memory and so without smoothing. "
            f"A row holds {NODE_SCHEMA.width} features: "
            + ", ".join(f"`{feature.name}`" for feature in NODE_SCHEMA.features)
            + "."
        ),
        data=(
            f"Fitted without labels on the {nodes}, each node every five minutes; the workloads are drawn from "
            f"{'the training part of recorded traces' if recorded else 'the generator'}."
        ),
        results=(
            f"The same detector, fitted on each machine's training part, smoothed (span {evaluation.span}), and "
            f"judged on its test part: {machines}. Every other machine was for tuning. "
            "Intervals are 95 % over machines.\n\n" + markdown_table(evaluation)
        ),
        limits=(
            "What is served is fitted on simulated nodes, has no memory and is not smoothed: the figures are of the "
            "method.",
            "What is rare is not always bad: the first run of a new workload is as surprising as a fault.",
        ),
        reproduce=f"hydatis train anomaly --detector {detector} --seed {evaluation.seed} --onnx anomaly.onnx",
    )
