"""Choose among the feasible nodes: the highest score, and one of the equals at random.

So kube-scheduler means to (schedule_one.go, selectHost); its 1.37 draws the numbers that tell equals apart only where
it has extenders (prioritizeNodes), and else mostly takes the first that passed its filters.
"""

from typing import NamedTuple

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.scoring import INFEASIBLE


class Selection(NamedTuple):
    """The chosen row and the next best one."""

    row: int
    runner_up: int | None
    """None when only one row is feasible."""


def select(ranking: Int64Array, random: np.random.Generator) -> Selection | None:
    """Return the best row, or None when no row is feasible."""
    first = int(ranking.argmax())
    best = int(ranking[first])
    if best == INFEASIBLE:
        return None
    equals = np.flatnonzero(ranking == best)
    if len(equals) > 1:
        row = int(equals[random.integers(len(equals))])
        return Selection(row, int(equals[0]) if int(equals[0]) != row else int(equals[1]))
    others = ranking.copy()
    others[first] = INFEASIBLE
    second = int(others.argmax())
    return Selection(first, None if others[second] == INFEASIBLE else second)


def best_rows(ranking: Int64Array, selection: Selection, count: int) -> list[int]:
    """Return up to `count` feasible rows: the chosen one, the runner-up, and those after them by rank."""
    rows = [selection.row] if selection.runner_up is None else [selection.row, selection.runner_up]
    others = ranking.copy()
    others[rows] = INFEASIBLE
    while len(rows) < count:
        row = int(others.argmax())
        if others[row] == INFEASIBLE:
            break
        rows.append(row)
        others[row] = INFEASIBLE
    return rows
