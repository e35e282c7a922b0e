"""A mutant's side of the comparison. It is imported anew where a mutant is tried, and with it the mutated core."""

from collections.abc import Iterable

from hydatis.sandbox.mutating.book import Page
from hydatis.sandbox.verifying.answers import from_oracle
from hydatis.sandbox.verifying.arguments import scoring_by
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.comparing import compare
from hydatis.sandbox.verifying.judging import judge
from hydatis.scheduler.plugin_args import ScoringStrategyType
from hydatis.scheduler.profile import Profile


def first_disagreement(pages: Iterable[Page]) -> str | None:
    """Return where the core first disagrees with kube-scheduler: the part and the plugin."""
    profiles = {kind: scoring_by(Profile(), ScoringStrategyType(kind)) for kind in map(str, ScoringStrategyType)}
    for page in pages:
        profile = Profile() if page.strategy is None else profiles[page.strategy]
        parts = (page.nodes, page.pods, page.candidates, page.objects)
        ours = judge(Cluster(page.number, *parts), profile)  # type: ignore[arg-type]
        for our_answer, verdict in zip(ours, page.answers, strict=True):
            for difference in compare(our_answer, from_oracle(verdict)):
                return f"{difference.part} {difference.plugin}".strip()
    return None
