"""NormalizeScore: raw scores to 0-100 (kubernetes plugins/helper/normalize_score.go, DefaultNormalizeScore)."""

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization


def normalize(raw: Int64Array, highest: int, normalization: Normalization) -> Int64Array:
    """Return scores 0-100 in whole numbers, rounded down.

    `highest` is the highest raw score among the feasible nodes; entries of other nodes come out without meaning.
    """
    if normalization is Normalization.NONE:
        return raw
    scaled = raw * MAX_NODE_SCORE // highest if highest else raw
    return MAX_NODE_SCORE - scaled if normalization is Normalization.LOWEST_IS_BEST else scaled


def normalize_one(raw: int, highest: int, normalization: Normalization) -> int:
    """Return the same of one feasible node's score."""
    if normalization is Normalization.NONE:
        return raw
    scaled = raw * MAX_NODE_SCORE // highest if highest else raw
    return MAX_NODE_SCORE - scaled if normalization is Normalization.LOWEST_IS_BEST else scaled
