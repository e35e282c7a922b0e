import numpy as np
import pytest

from hydatis.simulations.synthetic.quantiles import Quantiles, hill_index, normal_scores, uniform_of


def test_draws_have_the_distribution_of_the_sample() -> None:
    random = np.random.default_rng(1)
    sample = random.lognormal(3, 1, 20_000)
    drawn = Quantiles.of(sample).at(random.random(20_000))
    wanted = np.quantile(sample, (0.1, 0.5, 0.9))
    assert np.quantile(drawn, (0.1, 0.5, 0.9)) == pytest.approx(wanted, rel=0.05)


def test_a_constant_stays_constant_and_missing_values_do_not_count() -> None:
    assert Quantiles.of([5, 5, np.nan]).at([0, 0.3, 1]) == pytest.approx([5, 5, 5])


def test_a_tail_goes_on_beyond_the_sample_with_its_own_index() -> None:
    random = np.random.default_rng(2)
    sample = random.pareto(1.2, 50_000) + 1
    index = hill_index(sample)
    assert index == pytest.approx(1.2, rel=0.1)
    described = Quantiles.of(sample, tail_index=index)
    assert described.values[-1] == described.values[-2], "the largest value is not kept"
    drawn = described.at(random.random(50_000))
    assert hill_index(drawn, 0.01) == pytest.approx(index, rel=0.15)


def test_normal_scores_and_uniform_numbers_undo_each_other() -> None:
    sample = np.random.default_rng(3).exponential(1, 2_000)
    scores = normal_scores(sample)
    assert scores.std() == pytest.approx(1, abs=0.01)
    assert np.array_equal(np.argsort(scores), np.argsort(sample))
    assert uniform_of(scores).min() == pytest.approx(0.5 / 2_000, rel=0.01)
    assert np.unique(normal_scores(np.array([1.0, 1.0, 2.0]))).size == 2
