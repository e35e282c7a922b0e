"""One oracle for the session's tests: built where it is missing, which takes a minute. And how broken plugins are put
before it.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.oracle import Oracle, provide_oracle
from hydatis.sandbox.verifying.session import Disagreement, Session
from hydatis.scheduler.profile import Profile

SEED = 31
CLUSTERS = 250
A_FEW = 25
"""Clusters judged before looking whether the broken plugin has shown itself."""


@pytest.fixture(scope="session")
def oracle_binary() -> Path:
    # A first build takes a while, so this goes past pytest's capturing.
    return provide_oracle(lambda message: print(message, file=sys.__stderr__, flush=True))


@pytest.fixture(scope="session")
def oracle(oracle_binary: Path) -> Iterator[Oracle]:
    with Oracle(oracle_binary) as started:
        yield started


@pytest.fixture(scope="session")
def with_broken() -> Callable[[Any], Profile]:
    """Gives the default profile with a plugin in place of the one of its name."""
    profile = Profile()

    def broken_profile(broken: Any) -> Profile:
        def swap(plugins: Any) -> Any:
            return tuple(broken if plugin.name == broken.name else plugin for plugin in plugins)

        return replace(
            profile,
            prefilters=swap(profile.prefilters),
            filters=swap(profile.filters),
            neighbour_filters=swap(profile.neighbour_filters),
            last_filters=swap(profile.last_filters),
            scores=swap(profile.scores),
            neighbour_scores=swap(profile.neighbour_scores),
            reserves=swap(profile.reserves),
        )

    return broken_profile


@pytest.fixture
def find_disagreement(oracle: Oracle) -> Callable[[Profile], Disagreement | None]:
    """Looks for a case on which a profile differs from kube-scheduler, among a few hundred clusters."""

    def find(profile: Profile) -> Disagreement | None:
        session = Session(oracle, profile)
        for first in range(0, CLUSTERS, A_FEW):
            outcome = session.verify(make_cluster(SEED, number) for number in range(first, first + A_FEW))
            if outcome.disagreements:
                return min(outcome.disagreements, key=lambda found: len(found.case.nodes))
        return None

    return find
