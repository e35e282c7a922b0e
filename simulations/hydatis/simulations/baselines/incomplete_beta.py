"""The regularized incomplete beta function, which is the distribution function of the beta distribution.

Continued fraction by Lentz's method (W. H. Press et al., «Numerical Recipes», 3rd edition, section 6.4), as accurate as
to 12 digits where both parameters are below some thousands.
"""

import math

import numpy as np

from hydatis.scheduler.arrays import Float64Array

_MOST_TERMS = 300
_ACCURACY = 1e-14
_TINY = 1e-300


def regularized_incomplete_beta(a: Float64Array, b: Float64Array, x: Float64Array) -> Float64Array:
    """Return I_x(a, b) for each element; all shapes (n,), a and b above 0, x from 0 to 1."""
    # The fraction converges fast below the mean; above, the function is turned around.
    turned = x > (a + 1.0) / (a + b + 2.0)
    first, second = np.where(turned, b, a), np.where(turned, a, b)
    below = np.where(turned, 1.0 - x, x)
    inside = (below > 0.0) & (below < 1.0)
    at = np.where(inside, below, 0.5)
    log_beta = _log_gamma(first) + _log_gamma(second) - _log_gamma(first + second)
    front = np.exp(first * np.log(at) + second * np.log1p(-at) - log_beta)
    value = np.where(inside, front * _continued_fraction(first, second, at) / first, below)
    return np.clip(np.where(turned, 1.0 - value, value), 0.0, 1.0)


def _continued_fraction(a: Float64Array, b: Float64Array, x: Float64Array) -> Float64Array:
    c = np.ones_like(x)
    d = 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    fraction = d.copy()
    for term in range(1, _MOST_TERMS):
        twice = 2.0 * term
        even = term * (b - term) * x / ((a + twice - 1.0) * (a + twice))
        d = 1.0 / _not_zero(1.0 + even * d)
        c = _not_zero(1.0 + even / c)
        fraction *= d * c
        odd = -(a + term) * (a + b + term) * x / ((a + twice) * (a + twice + 1.0))
        d = 1.0 / _not_zero(1.0 + odd * d)
        c = _not_zero(1.0 + odd / c)
        fraction *= d * c
        if np.all(np.abs(d * c - 1.0) < _ACCURACY):
            break
    return fraction


def _not_zero(values: Float64Array) -> Float64Array:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def _log_gamma(values: Float64Array) -> Float64Array:
    return np.array([math.lgamma(value) for value in values.tolist()])
