"""A mutant's side of the comparison. It is imported anew where a mutant is tried, and with it the mutated core."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from hydatis.sandbox.verifying.answers import from_oracle
from hydatis.sandbox.verifying.arguments import filtering_with_arguments, scoring_by
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.comparing import compare
from hydatis.sandbox.verifying.judging import judge
from hydatis.scheduler.plugin_args import ScoringStrategyType
from hydatis.scheduler.profile import Profile

if TYPE_CHECKING:
    from hydatis.sandbox.mutating.book import Page


def profile_of(strategy: str | None) -> Profile:
    """Return the profile of a page: kube-scheduler's, or one whose plugins have arguments."""
    if strategy is None:
        return Profile()
    scoring = scoring_by(Profile(), ScoringStrategyType(strategy))
    return filtering_with_arguments(scoring) if strategy == ScoringStrategyType.MOST_ALLOCATED else scoring


def first_disagreement(pages: "Iterable[Page]") -> str | None:
    """Return where the core first disagrees with kube-scheduler: the part and the plugin."""
    profiles = {kind: profile_of(kind) for kind in (None, *map(str, ScoringStrategyType))}
    for page in pages:
        # What divides by nothing is wrong, even where nobody uses the outcome.
        with np.errstate(divide="raise", invalid="raise"):
            ours = judge(Cluster(**page.cluster), profiles[page.strategy])
        for our_answer, verdict in zip(ours, page.answers, strict=True):
            for difference in compare(our_answer, from_oracle(verdict)):
                return f"{difference.part} {difference.plugin}".strip()
    return None
