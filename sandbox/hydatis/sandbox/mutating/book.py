"""Cases with kube-scheduler's answers: asked once, kept, and put before every mutant.

Most cases go by the default profile; some by each scoring strategy and, those of one, with other arguments of plugins:
other branches of the core then serve them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from hydatis.sandbox.mutating.comparing import profile_of
from hydatis.sandbox.verifying.arguments import plugin_arguments
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.generating.surroundings import CANDIDATES
from hydatis.sandbox.verifying.judging import plugin_names
from hydatis.sandbox.verifying.oracle import Oracle
from hydatis.scheduler.plugin_args import ScoringStrategyType
from hydatis.scheduler.profile import Profile

_BATCH = 32
_SHARE_OF_A_STRATEGY = 0.1

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Page:
    """One cluster with its candidates. It holds no object of the core, which a mutant imports anew."""

    strategy: str | None
    """By which NodeResourcesFit scores; None: the default profile."""
    cluster: Mapping[str, Any]
    """The fields of the `Cluster`, of plain values."""
    answers: tuple[Mapping[str, Any], ...]
    """The oracle's, one for each candidate."""


def write_book(binary: Path, cases: int, seed: int, told: Told = lambda so_far: None) -> list[Page]:
    """Ask the oracle about so many cases."""
    pages: list[Page] = []
    total = -(-cases // CANDIDATES)
    with Oracle(binary) as oracle:
        first = 0
        for strategy, share in _shares():
            count = round(total * share)
            numbers = range(first, first + count)
            first += count
            profile = profile_of(strategy)
            for batch in (numbers[start : start + _BATCH] for start in range(0, count, _BATCH)):
                pages += _ask(oracle, profile, strategy, [make_cluster(seed, number) for number in batch])
                told(len(pages) * CANDIDATES)
    return pages


def _shares() -> Iterator[tuple[ScoringStrategyType | None, float]]:
    strategies = tuple(ScoringStrategyType)
    yield None, 1 - _SHARE_OF_A_STRATEGY * len(strategies)
    for strategy in strategies:
        yield strategy, _SHARE_OF_A_STRATEGY


def _ask(
    oracle: Oracle, profile: Profile, strategy: ScoringStrategyType | None, clusters: list[Cluster]
) -> Iterator[Page]:
    names, arguments = plugin_names(profile), plugin_arguments(profile)
    oracle.ask(cluster.request(names, arguments) for cluster in clusters)
    for cluster, answer in zip(clusters, oracle.answers(len(clusters)), strict=True):
        kind = None if strategy is None else str(strategy)
        # As decoded bytes, as a driver has them: equal texts that are not the same object.
        plain = orjson.loads(orjson.dumps({field.name: getattr(cluster, field.name) for field in fields(cluster)}))
        made = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
        yield Page(kind, made, tuple(answer["answers"]))
