"""The choice among feasible nodes, and the next best one."""

import numpy as np
import pytest

from hydatis.scheduler.scoring import INFEASIBLE
from hydatis.scheduler.selecting import Selection, select


def _select(*ranking: int, seed: int = 0) -> Selection | None:
    return select(np.array(ranking, dtype=np.int64), np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("ranking", "selection"),
    [
        pytest.param((5, 9, 7), Selection(1, 2), id="the next best is the runner-up"),
        pytest.param((9, 7, 7, 5), Selection(0, 1), id="of equal runners-up the first"),
        pytest.param((INFEASIBLE, 3, INFEASIBLE), Selection(1, None), id="the only feasible node has none"),
        pytest.param((INFEASIBLE, 0, 1), Selection(2, 1), id="a score of 0 is feasible"),
        pytest.param((INFEASIBLE, INFEASIBLE), None, id="no feasible node"),
    ],
)
def test_the_best_node_is_selected(ranking: tuple[int, ...], selection: Selection | None) -> None:
    assert _select(*ranking) == selection


def test_of_two_equals_one_is_selected_and_the_other_one_is_the_runner_up() -> None:
    selections = {_select(9, 5, 9, seed=seed) for seed in range(50)}
    assert selections == {Selection(0, 2), Selection(2, 0)}


def test_of_many_equals_each_is_selected_and_the_runner_up_is_the_first_other_one() -> None:
    selections = {_select(9, 9, 5, 9, 9, seed=seed) for seed in range(200)}
    assert selections == {Selection(0, 1), Selection(1, 0), Selection(3, 0), Selection(4, 0)}
