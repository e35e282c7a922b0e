"""The parts of an evaluation, each from the room that measures it, as JSON has it."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.models.timing import measure_latency
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.evaluating.contenders import Models
from hydatis.simulations.evaluating.placement import contenders_of, evaluate_placement
from hydatis.simulations.reporting.console import shown_progress
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.running import RunMany
from hydatis.simulations.traces.folder import DataFolder

Told = Callable[[str], None]
Document = Mapping[str, object]

DETECTORS = ("combined", "principal", "knn", "iforest")
LATENCY_NODES = 5000
AGENT_SEEDS: Mapping[str, int] = MappingProxyType({"as in training": 20, "other shapes": 10, "four times the nodes": 3})
"""At most so many runs on each cluster: those with four times the nodes take minutes each."""


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What all sections are given."""

    models: Models
    scenario: str
    seeds: Sequence[int]
    run_many: RunMany
    kept: KeptRuns | None
    told: Told


def placement(asked: Asked) -> Document:
    """The ensemble beside heuristics, the closed form and the bound, with its ablations."""
    with shown_progress(len(asked.seeds) * len(contenders_of(asked.models))) as done:
        found = evaluate_placement(
            asked.models, asked.seeds, asked.run_many, scenario=asked.scenario, kept=asked.kept, done=done
        )
    return found.document()


def load(asked: Asked) -> Document:
    """Forecasts of machines' CPU."""
    from hydatis.simulations.training.forecasting.evaluating import evaluate_forecasts  # noqa: PLC0415 - needs LightGBM

    return evaluate_forecasts(DataFolder.if_named(), 1, done=asked.told).document()


def anomaly(asked: Asked) -> Document:
    """Detectors beside plain Isolation Forest, on labelled machines."""
    from hydatis.simulations.training.anomaly.evaluating import evaluate_anomaly  # noqa: PLC0415 - needs PyOD

    found = evaluate_anomaly(
        DataFolder.if_named(), DETECTORS, 1, done=lambda result: asked.told(f"{result.machine}: {result.detector}")
    )
    return found.document()


def agent(asked: Asked) -> Document:
    """The placement agent that ships, alone and with the closed form, on its own and on other clusters."""
    from hydatis.simulations.training.placement import evaluating  # noqa: PLC0415 - needs PyTorch
    from hydatis.simulations.virtual_time.catalogue import scenario_named  # noqa: PLC0415
    from hydatis.simulations.virtual_time.sources import open_source  # noqa: PLC0415

    onnx = _of_kind(asked.models, ModelKind.PLACEMENT)
    if onnx is None:
        return {"missing": "the policy names no placement model"}
    policies = {**evaluating.baselines(), **evaluating.agent_policies({"agent": onnx})}
    scenario, source = scenario_named(asked.scenario), open_source(os.environ)
    played = []
    for setting, most in AGENT_SEEDS.items():
        played += evaluating.play(
            scenario,
            source,
            policies,
            asked.seeds[:most],
            settings=(setting,),
            done=lambda one: asked.told(f"{one.setting}, seed {one.seed}: {one.policy}"),
        )
    return evaluating.document_of(evaluating.results_of(played), played)


def latency(asked: Asked) -> Document:
    """What models cost in a decision, for 5,000 nodes."""
    models = asked.models
    parts = models.weights.model_parts()
    loaded = {part.kind: onnx_model(models.onnx[part.model], part.kind, part.model) for part in parts}
    return {"nodes": LATENCY_NODES, "milliseconds": measure_latency(loaded, nodes=LATENCY_NODES, repeats=50, seed=1)}


SECTIONS: Mapping[str, Callable[[Asked], Document]] = {
    "latency": latency,
    "anomaly": anomaly,
    "load": load,
    "placement": placement,
    "agent": agent,
}
"""By name, the short ones first."""


def check_sections(names: Sequence[str]) -> None:
    """Raise BenchError where there is no section of a name."""
    for name in names:
        if name not in SECTIONS:
            raise BenchError(f"--section {name} is unknown; choose from {', '.join(SECTIONS)}.")


def _of_kind(models: Models, kind: ModelKind) -> bytes | None:
    return next((models.onnx[part.model] for part in models.weights.model_parts() if part.kind is kind), None)
