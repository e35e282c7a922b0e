"""The placement agent as it is handed over to be registered, with its card."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.training.placement.evaluating import MEASURES, PolicyResult
from hydatis.simulations.training.placement.learning import Lesson
from hydatis.simulations.training.placement.reporting import markdown_table
from hydatis.simulations.training.tracking.card import card_text
from hydatis.simulations.training.tracking.trained_model import TrainedModel


def trained_placement(
    onnx: bytes,
    lesson: Lesson,
    seed: int,
    results: Sequence[PolicyResult],
    *,
    recorded: bool,
    started: datetime,
    figures: Mapping[str, bytes],
) -> TrainedModel:
    """Return a trained agent with what was measured of it; `results` may be empty. `recorded` says whether its
    workloads were drawn from recorded traces, `started` when the training began.
    """
    source = "recorded traces, training part" if recorded else "made-up traces"
    data = f"{lesson.steps} decisions in {lesson.scenario}, {source}"
    return TrainedModel(
        kind=ModelKind.PLACEMENT,
        onnx=onnx,
        schema_hash=PLACEMENT_SCHEMA.hash,
        seed=seed,
        data=data,
        parameters={
            "scenario": lesson.scenario,
            "steps": lesson.steps,
            "start": "closed-form" if lesson.from_closed_form else "nothing",
        },
        metrics=_metrics(results),
        card=_card(lesson, seed, data, results),
        started=started,
        figures=figures,
    )


def _metrics(results: Sequence[PolicyResult]) -> Mapping[str, float]:
    """Return the node-minutes above 80 % of every policy in the first setting, in percent."""
    found = {}
    for result in results:
        if result.setting == results[0].setting:
            policy = "".join(letter if letter.isalnum() else "_" for letter in result.policy)
            found[f"{MEASURES[0]}_{policy}"] = result.measures[MEASURES[0]].mean
    return found


def _card(lesson: Lesson, seed: int, data: str, results: Sequence[PolicyResult]) -> str:
    start = "closed-form" if lesson.from_closed_form else "nothing"
    measured = markdown_table(results) if results else "It was not measured: `--runs 0`."
    return card_text(
        title=f"Placement agent, seed {seed}",
        what=(
            "Says of each node what placing the pod there is worth in the long run, 0 to 100. One small network, the "
            "same for every node, reads the rows of the placement schema; it ranks any number of nodes."
        ),
        data=data,
        results="Played as the served model on the validation part, in pairs; 95 % intervals.\n\n" + measured,
        limits=(
            "It begins as the closed form and stays near it: a weight beside the closed form has to be measured.",
            "It knows what the measurements of a cluster tell; without them it is no better than the closed form.",
        ),
        reproduce=(
            f"hydatis train placement --seed {seed} --steps {lesson.steps} --start {start} "
            f"--scenario {lesson.scenario} --onnx placement.onnx"
        ),
    )
