"""The comparison can fail: a copy of a plugin with one rule changed is caught and shown in a small case.

Every broken copy is a subclass of the real plugin, put in its place in the profile.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from hydatis.sandbox.verifying.session import Disagreement
from hydatis.scheduler.arrays import BoolArray, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.neighbours import Neighbours
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Everywhere, Normalization, PreFilterResult
from hydatis.scheduler.plugins.image_locality import ImageLocality
from hydatis.scheduler.plugins.inter_pod_affinity import InterPodAffinity
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_declared_features import NodeDeclaredFeatures
from hydatis.scheduler.plugins.node_name import NodeName
from hydatis.scheduler.plugins.node_ports import NodePorts
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.plugins.pod_topology_spread import PodTopologySpread
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.profile import NO_MODELS, PluginSet, Profile
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN
from hydatis.scheduler.tolerations import PREFER_NO_SCHEDULE, tolerated

FindDisagreement = Callable[[Profile], Disagreement | None]


class LooksEverywhereForANamedNode(NodeName):
    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        return Everywhere()


class NobodyToleratesACordon(NodeUnschedulable):
    def applies(self, requirements: Requirements) -> bool:
        return True


class CordonsDoNotMatter(NodeUnschedulable):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.ones(len(rows), dtype=np.bool_)


class NoExecuteDoesNotKeepPodsAway(TaintToleration):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.array(
            [
                all(t.effect != "NoSchedule" or tolerated(t, requirements.tolerations) for t in taints)
                for taints in (cluster.taint_sets[number] for number in cluster.taint_set[rows].tolist())
            ],
            dtype=np.bool_,
        )


class TolerationsIgnoreTheirOperator(TaintToleration):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        keys = {t.key for t in requirements.tolerations}
        return np.array(
            [
                all(not t.forbids_scheduling or t.key in keys or "" in keys for t in taints)
                for taints in (cluster.taint_sets[number] for number in cluster.taint_set[rows].tolist())
            ],
            dtype=np.bool_,
        )


class EveryTolerationCountsInTheScore(TaintToleration):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        untolerated = [
            sum(
                t.effect == PREFER_NO_SCHEDULE and not any(r.key == t.key for r in requirements.tolerations)
                for t in taints
            )
            for taints in (cluster.taint_sets[number] for number in cluster.taint_set[rows].tolist())
        ]
        return np.array(untolerated, dtype=np.int64)


class MostTaintsAreBest(TaintToleration):
    normalization: ClassVar[Normalization] = Normalization.HIGHEST_IS_BEST


class LooksEverywhereForNamedNodes(NodeAffinity):
    def prefilter(self, requirements: Requirements, cluster: Cluster) -> PreFilterResult:
        return Everywhere()


class TheSelectorAloneCounts(NodeAffinity):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return replace(requirements.node_affinity, terms=None).matches(cluster.labels, rows)


class EveryTermMustMatch(NodeAffinity):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        passed = super().filter(requirements, cluster, rows)
        for term in requirements.node_affinity.terms or ():
            passed &= term.matches(cluster.labels, rows)
        return passed


class EveryPreferenceWeighsTheSame(NodeAffinity):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        total = np.zeros(len(rows), dtype=np.int64)
        for preferred in requirements.preferred_node_affinity:
            total += preferred.term.matches(cluster.labels, rows)
        return total


class PreferencesAreNotScaled(NodeAffinity):
    normalization: ClassVar[Normalization] = Normalization.NONE


class NoPortEverCollides(NodePorts):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.ones(len(rows), dtype=np.bool_)


class AnyHostPortCollides(NodePorts):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        free = [not any(p.requirements.host_ports for p in cluster.pods_on(row).values()) for row in rows.tolist()]
        return np.array(free, dtype=np.bool_)


class TheLastBitOfCpuCannotBeUsed(NodeResourcesFit):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        free = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        wanted = requirements.request(CPU_COLUMN)
        passed: BoolArray = super().filter(requirements, cluster, rows) & ((wanted < free) | (wanted == 0))
        return passed


class SmallNodesGrowWhenPodsGo(NodeResourcesFit):
    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.zeros(len(rows), dtype=np.bool_)


class TaintsGoWithThePods(TaintToleration):
    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.zeros(len(rows), dtype=np.bool_)


class PortsStayTaken(NodePorts):
    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        return np.ones(len(rows), dtype=np.bool_)


class CrowdedDomainsStayCrowded(PodTopologySpread):
    def unresolvable(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> BoolArray:
        return np.ones(len(rows), dtype=np.bool_)


class CompanyComesWhenPodsGo(InterPodAffinity):
    def unresolvable(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, rows: Rows
    ) -> BoolArray:
        return np.zeros(len(rows), dtype=np.bool_)


class ZeroRequestsNeedRoomToo(NodeResourcesFit):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        free = cluster.allocatable[CPU_COLUMN, rows] - cluster.requested[CPU_COLUMN, rows]
        passed: BoolArray = super().filter(requirements, cluster, rows) & (free > 0)
        return passed


class OnlyTheFirstShortageIsTold(NodeResourcesFit):
    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        return dict(list(super().reasons(requirements, cluster, rows).items())[:1])


class FitRoundsUp(NodeResourcesFit):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        score = super().score(requirements, cluster, rows)
        return np.minimum(score + 1, 100)


class BalanceForgetsWhatWasThereBefore(NodeResourcesBalancedAllocation):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        return 2 * (super().score(requirements, cluster, rows) - 50)


class PodsWithoutRequestsAreBalancedToo(NodeResourcesBalancedAllocation):
    def applies(self, requirements: Requirements) -> bool:
        return True


class DomainsNeverFill(PodTopologySpread):
    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        return cluster.present.copy()


class TheEmptiestDomainIsAlwaysEmpty(PodTopologySpread):
    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        strict = tuple(
            replace(spread, constraint=replace(spread.constraint, min_domains=99))
            for spread in neighbours.required_spread
        )
        return super().filter(requirements, replace(neighbours, required_spread=strict), cluster)


class InclusionPoliciesDoNotMatter(PodTopologySpread):
    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        lax = tuple(
            replace(spread, constraint=replace(spread.constraint, honor_affinity=False, honor_taints=False))
            for spread in neighbours.required_spread
        )
        return super().filter(requirements, replace(neighbours, required_spread=lax), cluster)


class NothingIsSpreadByDefault(PodTopologySpread):
    def scores(self, neighbours: Neighbours) -> bool:
        return super().scores(neighbours) and not neighbours.spread_by_default


class TheFirstOfItsKindWaitsForTheSecond(InterPodAffinity):
    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        return super().filter(requirements, replace(neighbours, may_be_first=False), cluster)


class RunningPodsHaveNoSay(InterPodAffinity):
    def filter(self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster) -> BoolArray:
        return super().filter(requirements, replace(neighbours, forbidden_by=()), cluster)


class PreferencesOnlyDraw(InterPodAffinity):
    def score(
        self, requirements: Requirements, neighbours: Neighbours, cluster: Cluster, feasible: BoolArray
    ) -> tuple[Int64Array, Int64Array]:
        drawing = tuple(pull for pull in neighbours.pulls if pull.weight > 0)
        return super().score(requirements, replace(neighbours, pulls=drawing), cluster, feasible)


class HoldingEverythingCountsAsHoldingNothing(ImageLocality):
    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        score = super().score(requirements, cluster, rows)
        return np.where(score == MAX_NODE_SCORE, 0, score)


class OneOfTheFeaturesIsEnough(NodeDeclaredFeatures):
    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        passed: BoolArray = cluster.declared_features[rows] & int(requirements.declared_features) != 0
        return passed


@dataclass(frozen=True)
class TaintsWeighTwo(Profile):
    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        plugins = super().under(policy, models)
        scores = [replace(e, weight=2) if e.plugin.name == "TaintToleration" else e for e in plugins.scores]
        return replace(plugins, scores=scores)


@dataclass(frozen=True)
class TheCycleKnowsOnePluginOnly(Profile):
    """Explains itself rightly, and schedules by its first score plugin alone."""

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        plugins = super().under(policy, models)
        asked_by = inspect.stack(0)[1].frame.f_globals["__name__"]
        if asked_by != "hydatis.scheduler.evaluating":
            return plugins
        return replace(plugins, scores=plugins.scores[:1], neighbour_scores=())


BROKEN: list[Any] = [
    LooksEverywhereForANamedNode(),
    NobodyToleratesACordon(),
    CordonsDoNotMatter(),
    NoExecuteDoesNotKeepPodsAway(),
    TolerationsIgnoreTheirOperator(),
    EveryTolerationCountsInTheScore(),
    MostTaintsAreBest(),
    LooksEverywhereForNamedNodes(),
    TheSelectorAloneCounts(),
    EveryTermMustMatch(),
    EveryPreferenceWeighsTheSame(),
    PreferencesAreNotScaled(),
    NoPortEverCollides(),
    AnyHostPortCollides(),
    TheLastBitOfCpuCannotBeUsed(),
    ZeroRequestsNeedRoomToo(),
    OnlyTheFirstShortageIsTold(),
    FitRoundsUp(),
    BalanceForgetsWhatWasThereBefore(),
    PodsWithoutRequestsAreBalancedToo(),
    DomainsNeverFill(),
    TheEmptiestDomainIsAlwaysEmpty(),
    InclusionPoliciesDoNotMatter(),
    NothingIsSpreadByDefault(),
    TheFirstOfItsKindWaitsForTheSecond(),
    RunningPodsHaveNoSay(),
    PreferencesOnlyDraw(),
    HoldingEverythingCountsAsHoldingNothing(),
    SmallNodesGrowWhenPodsGo(),
    TaintsGoWithThePods(),
    PortsStayTaken(),
    CrowdedDomainsStayCrowded(),
    CompanyComesWhenPodsGo(),
    OneOfTheFeaturesIsEnough(),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: type(broken).__name__)
def test_a_plugin_with_one_rule_changed_is_caught_in_a_small_case(
    find_disagreement: FindDisagreement, with_broken: Callable[[Any], Profile], broken: Any
) -> None:
    found = find_disagreement(with_broken(broken))
    assert found is not None
    named = {difference.plugin for difference in found.differences}
    assert broken.name in named or named == {""}
    assert len(found.case.nodes) <= 3
    assert len(found.case.candidates) == 1


def test_a_wrong_choice_is_caught_even_where_the_explanation_is_right(find_disagreement: FindDisagreement) -> None:
    found = find_disagreement(TheCycleKnowsOnePluginOnly())
    assert found is not None
    assert {d.part for d in found.differences} == {"decision"}


def test_a_wrong_weight_is_caught(find_disagreement: FindDisagreement) -> None:
    found = find_disagreement(TaintsWeighTwo())
    assert found is not None
    assert {d.plugin for d in found.differences if d.part == "score"} == {"TaintToleration"}
