"""The load model as it is handed over to be registered, with its card."""

import math
from datetime import datetime

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.simulations.markdown import results_table
from hydatis.simulations.training.load.rounds import Plan, TrainedLoad
from hydatis.simulations.training.tracking.card import card_text
from hydatis.simulations.training.tracking.trained_model import TrainedModel


def trained_load(trained: TrainedLoad, plan: Plan, seed: int, *, recorded: bool, started: datetime) -> TrainedModel:
    """Return what `train_load` made. `recorded` says whether the days were drawn from recorded traces, `started` when
    the training began.
    """
    source = "recorded traces, training part" if recorded else "made-up traces"
    data = f"{sum(plan.runs)} days of {plan.scenario}, {source}; {trained.rows} rows"
    return TrainedModel(
        kind=ModelKind.LOAD,
        onnx=trained.onnx,
        schema_hash=PLACEMENT_SCHEMA.hash,
        seed=seed,
        data=data,
        parameters={
            "scenario": plan.scenario,
            "runs": "+".join(map(str, plan.runs)),
            "questions": plan.questions,
            "rows": trained.rows,
        },
        metrics=_metrics(trained),
        card=_card(trained, plan, seed, data),
        started=started,
    )


def _metrics(trained: TrainedLoad) -> dict[str, float]:
    """Return what was measured; nothing where nothing was added on the days that were left out."""
    measured = {"regret_model": trained.regret_model, "regret_closed_form": trained.regret_closed_form}
    return {name: value for name, value in measured.items() if math.isfinite(value)}


def _card(trained: TrainedLoad, plan: Plan, seed: int, data: str) -> str:
    rows = [
        ["this model", f"{trained.regret_model:.3f}"],
        ["the closed form (ExpectedOverload)", f"{trained.regret_closed_form:.3f}"],
    ]
    runs = " ".join(f"--runs {each}" for each in plan.runs)
    runs += "".join(f" --assume {name}={text}" for name, text in sorted(plan.assumptions.items()))
    return card_text(
        title=f"Load model, seed {seed}",
        what=(
            "Predicts what a pod adds to a node's overload: the mean over the pod's life, 12 hours at the most, of "
            "the squared share of CPU above 60 %. The ensemble reads it by its power of ten, 0 to 100."
        ),
        data=data,
        results=(
            "Overload added by the nodes that each would choose, over that of the best nodes known in hindsight, in "
            "the fifth of the days that it was not fitted to while this was measured; 1 could not be better.\n\n"
            + results_table(["chooser", "overload added over the least possible"], rows)
        ),
        limits=(
            "Judged alone it fills nodes that only look harmless: give the closed form a weight beside it.",
            "It knows what the measurements of a cluster tell; without them it is no better than the closed form.",
        ),
        reproduce=f"hydatis train load --scenario {plan.scenario} {runs} --questions {plan.questions} --seed {seed}",
    )
