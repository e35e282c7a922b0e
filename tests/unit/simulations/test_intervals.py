import numpy as np
import pytest

from hydatis.simulations.intervals import interval_of, paired_difference, paired_ratio, paired_share


def test_an_interval_holds_its_mean_and_narrows_with_more_seeds() -> None:
    few, many = interval_of([1.0, 2.0, 3.0]), interval_of([1.0, 2.0, 3.0] * 20)
    assert few.mean == many.mean == 2
    assert few.low < many.low < 2 < many.high < few.high
    one = interval_of([5.0])
    assert (one.low, one.mean, one.high) == (5, 5, 5)


def test_with_ten_seeds_an_interval_holds_the_mean_in_about_nine_cases_of_ten() -> None:
    random = np.random.default_rng(1)
    found = [interval_of(random.normal(3, 2, 10).tolist()) for _ in range(300)]
    assert 0.85 < np.mean([one.low <= 3 <= one.high for one in found]) < 0.95


def test_what_a_seed_does_to_both_cancels() -> None:
    seeds = np.array([1.0, 50.0, 900.0, 20.0])
    difference = paired_difference((seeds + 2).tolist(), seeds.tolist())
    assert (difference.low, difference.mean, difference.high) == (2, 2, 2)
    ratio = paired_ratio((seeds * 0.9).tolist(), seeds.tolist())
    assert ratio is not None
    assert (ratio.low, ratio.mean, ratio.high) == pytest.approx((0.9, 0.9, 0.9))


def test_a_ratio_is_that_of_the_means_not_the_mean_of_ratios() -> None:
    ratio = paired_ratio([1.0, 30.0], [2.0, 10.0])
    assert ratio is not None
    assert ratio.mean == pytest.approx(31 / 12)
    # Drawn are both seeds, or one of them twice.
    assert (ratio.low, ratio.high) == pytest.approx((0.5, 3.0))


@pytest.mark.parametrize("reference", [[0.0, 0.0], [0.0, 5.0], [-1.0, 5.0]])
def test_there_is_no_ratio_to_what_may_be_nothing(reference: list[float]) -> None:
    assert paired_ratio([1.0, 2.0], reference) is None


def test_a_share_of_the_way_is_0_at_the_start_and_1_at_the_end() -> None:
    start, end = [10.0, 20.0, 30.0], [5.0, 12.0, 18.0]
    halfway = [(one + other) / 2 for one, other in zip(start, end, strict=True)]
    for values, share in ((start, 0.0), (halfway, 0.5), (end, 1.0)):
        found = paired_share(values, start, end)
        assert found is not None
        assert (found.low, found.mean, found.high) == pytest.approx((share, share, share))
    assert paired_share(start, [1.0, 2.0, 3.0], [2.0, 2.0, 2.0]) is None
