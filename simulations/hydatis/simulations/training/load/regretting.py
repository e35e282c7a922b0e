"""What choosing by a model costs, beside the best that could be chosen.

A prediction matters only where it decides: so it is judged by what the nodes add that it would choose.
"""

from collections.abc import Sequence

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.model import Model
from hydatis.simulations.training.load.hindsight import Answered

_CLOSED_FORM = PLACEMENT_SCHEMA.index("overload_added")


def regret(answers: Sequence[Answered], model: Model | None) -> float:
    """Return what the chosen nodes add over what the best add, all questions together; None for the closed form. NaN
    where nothing adds anything.
    """
    chosen = best = 0.0
    for answer in answers:
        said = answer.features[:, _CLOSED_FORM] if model is None else model.predict(answer.features)
        starts = np.flatnonzero(np.diff(answer.question, prepend=-1))
        rows = _least(np.asarray(said, dtype=np.float64), answer, starts)
        chosen += float((answer.added[rows] * answer.weight[rows]).sum())
        best += float((np.minimum.reduceat(answer.added, starts) * answer.weight[starts]).sum())
    return chosen / best if best else float("nan")


def _least(said: Float64Array, answer: Answered, starts: Rows) -> Rows:
    """Return the row of each question of which the least is said, the first of equals."""
    order = np.lexsort((said, answer.question))
    return np.asarray(order[starts], dtype=np.intp)
