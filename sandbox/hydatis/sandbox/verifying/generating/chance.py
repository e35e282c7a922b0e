"""How a feature is made: the random generator that is passed to it, and what several of them draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from hydatis.sandbox.verifying.cases import Manifest

Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True)
class Feature:
    """Something a manifest may have."""

    chance: float
    """0-1."""
    add: Callable[[Random, Manifest], None]


def add_features(random: Random, manifest: Manifest, features: Sequence[Feature]) -> None:
    """Give the manifest each feature with its own chance."""
    for feature in features:
        if random.random() < feature.chance:
            feature.add(random, manifest)


def few(random: Random, make: Callable[[Random], Drawn], most: int, least: int = 1) -> list[Drawn]:
    """Make between `least` and `most` of something."""
    return [make(random) for _ in range(random.randint(least, most))]
