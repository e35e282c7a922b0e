"""The beta distribution's function against cases that are known exactly."""

import math

import numpy as np
import pytest

from hydatis.simulations.baselines.incomplete_beta import regularized_incomplete_beta


def at(a: float, b: float, x: float) -> float:
    return float(regularized_incomplete_beta(np.array([a]), np.array([b]), np.array([x]))[0])


def binomial(a: int, b: int, x: float) -> float:
    """I_x(a, b) for whole a and b: the probability of at least a successes in a + b - 1 trials."""
    trials = a + b - 1
    return sum(math.comb(trials, k) * x**k * (1 - x) ** (trials - k) for k in range(a, trials + 1))


@pytest.mark.parametrize("x", [0.0, 0.001, 0.2, 0.5, 0.7, 0.999, 1.0])
@pytest.mark.parametrize(("a", "b"), [(2, 2), (1, 1), (3, 8), (40, 2), (1, 60), (100, 150)])
def test_whole_parameters_are_sums_of_binomials(a: int, b: int, x: float) -> None:
    assert at(a, b, x) == pytest.approx(binomial(a, b, x), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("x", [0.05, 0.5, 0.95])
def test_powers(x: float) -> None:
    assert at(0.3, 1.0, x) == pytest.approx(x**0.3)
    assert at(1.0, 2.7, x) == pytest.approx(1 - (1 - x) ** 2.7)
    assert at(0.5, 0.5, x) == pytest.approx(2 / math.pi * math.asin(math.sqrt(x)))


def test_many_at_once_are_each_as_alone() -> None:
    random = np.random.default_rng(1)
    a, b, x = random.uniform(0.1, 30, 200), random.uniform(0.1, 30, 200), random.uniform(0, 1, 200)
    together = regularized_incomplete_beta(a, b, x)
    alone = [at(*each) for each in zip(a.tolist(), b.tolist(), x.tolist(), strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
