"""How far pods of one owner swing together."""

import numpy as np
import pytest

from hydatis.scheduler.shared_swings import SharedSwings

NAN = float("nan")


def learned(cpu: list[list[float]]) -> float:
    """Learn moments of one owner's pods; return the covariance of their CPU."""
    swings = SharedSwings(4)
    for moment in cpu:
        shares = np.array([moment, [NAN] * len(moment)])
        swings.learn(np.full(len(moment), 2, dtype=np.intp), shares, np.ones(len(moment)))
    assert swings.covariance(1)[2] == 0.0
    return float(swings.covariance(0)[2])


def test_pods_that_do_the_same_share_all_their_variance() -> None:
    levels = [0.1, 0.5, 0.9, 0.3]
    assert learned([[level] * 5 for level in levels]) == pytest.approx(np.var(levels))


def test_independent_pods_share_next_to_nothing() -> None:
    random = np.random.default_rng(3)
    moments = random.uniform(0.0, 1.0, (4000, 4))
    assert learned(moments.tolist()) < 0.05 * moments.var()


def test_half_of_what_pods_do_in_common_is_found() -> None:
    random = np.random.default_rng(4)
    common = random.normal(0.0, 0.1, (4000, 1))
    moments = 1.0 + common + random.normal(0.0, 0.1, (4000, 6))
    assert learned(moments.tolist()) == pytest.approx(0.01, rel=0.1)


def test_single_pods_tell_nothing() -> None:
    assert learned([[0.1], [0.9], [0.5]]) == 0.0
    assert learned([[0.1, NAN], [0.9, NAN]]) == 0.0


def test_owners_are_kept_apart() -> None:
    swings = SharedSwings(4)
    for level in (0.2, 0.8):
        numbers = np.array([0, 1, 0, 1], dtype=np.intp)
        swings.learn(numbers, np.array([[level, 0.5, level, 0.5], [0.5, level, 0.5, level]]), np.ones(4))
    assert swings.covariance(0)[:2] == pytest.approx([0.09, 0.0])
    assert swings.covariance(1)[:2] == pytest.approx([0.0, 0.09])
