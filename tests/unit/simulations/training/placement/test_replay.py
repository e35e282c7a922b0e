"""A sample is a decision, what nodes cost until some decisions later, and what they looked like then."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from hydatis.simulations.environment.observing import COLUMNS
from hydatis.simulations.training.placement.replay import PlacementReplay

NODES = 2
HOUR = 1.0


def replay_of(lengths: list[int], *, size: int = 50, decisions: int = 3) -> PlacementReplay:
    """Episodes of so many decisions, an hour each; decision k of all has k in its rows and costs k on node 1."""
    observations = spaces.Dict(
        {"nodes": spaces.Box(-1.0, 1.0, (NODES * len(COLUMNS),)), "hours": spaces.Box(0.0, 24.0, (1,))}
    )
    replay = PlacementReplay(size, observations, spaces.Discrete(NODES), "cpu", discount_hours=2.0, decisions=decisions)
    ends = set(np.cumsum(lengths).tolist())
    for number in range(sum(lengths)):
        before, after = (
            {"nodes": np.full((1, NODES * len(COLUMNS)), float(each)), "hours": np.full((1, 1), HOUR)}
            for each in (number, number + 1)
        )
        info: dict[str, Any] = {"overload": np.array([0.0, float(number)])}
        over = np.array([number + 1 in ends])
        replay.add(before, after, np.array([number % 2]), np.zeros(1), over, [info])
    return replay


def test_costs_until_the_later_decision_are_discounted_by_the_time_that_passed() -> None:
    drawn = replay_of([5]).sample(40)
    for sample in range(40):
        first = int(drawn.rows[sample, 0, 0])
        assert drawn.later_rows[sample, 0, 0] == first + 3
        assert drawn.actions[sample] == first % 2
        expected = sum((first + later) * np.exp(-later / 2.0) for later in range(3))
        assert drawn.costs[sample].tolist() == pytest.approx([0.0, expected], rel=1e-5)
        assert float(drawn.discounts[sample]) == pytest.approx(np.exp(-1.5))


def test_no_sample_spans_the_end_of_an_episode() -> None:
    firsts = set(replay_of([5, 2, 6]).sample(400).rows[:, 0, 0].tolist())
    assert firsts == {0, 1, 7, 8, 9}


def test_the_oldest_are_forgotten_and_none_is_mixed_with_the_newest() -> None:
    firsts = set(replay_of([30], size=10).sample(400).rows[:, 0, 0].tolist())
    assert firsts == {20, 21, 22, 23, 24, 25, 26, 27} - {27}


def test_what_is_too_short_is_told() -> None:
    with pytest.raises(ValueError, match="no episode has 3 decisions so far"):
        replay_of([2, 2]).sample(1)
