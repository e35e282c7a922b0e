"""The policies by name, each as a profile of the decision core.

A policy owns state (what is left of each device), so that each scheduler gets one of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from hydatis.scheduler.models.model import Model
from hydatis.scheduler.plugins import FilterPlugin, ScorePlugin
from hydatis.scheduler.plugins.expected_overload import ExpectedOverload
from hydatis.scheduler.plugins.node_affinity import NodeAffinity
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.plugins.node_unschedulable import NodeUnschedulable
from hydatis.scheduler.plugins.taint_toleration import TaintToleration
from hydatis.scheduler.policy import Heuristic, Policy
from hydatis.scheduler.profile import NO_MODELS, PluginSet, Profile, WeightedPlugin
from hydatis.simulations.baselines.allocated_by_class import AllocatedByClass, Preference
from hydatis.simulations.baselines.best_fit import BestFit
from hydatis.simulations.baselines.clairvoyant import Clairvoyant
from hydatis.simulations.baselines.crane_dynamic import CraneDynamic
from hydatis.simulations.baselines.dot_product import DotProduct
from hydatis.simulations.baselines.fgd import FgdScore
from hydatis.simulations.baselines.first_seen import MOST_ROWS, FirstSeen
from hydatis.simulations.baselines.fragmentation import Fragmentation
from hydatis.simulations.baselines.gpu_clustering import GpuClustering
from hydatis.simulations.baselines.gpu_packing import GpuPacking
from hydatis.simulations.baselines.koordinator import KoordinatorLoadAware
from hydatis.simulations.baselines.load_variation_risk_balancing import LoadVariationRiskBalancing
from hydatis.simulations.baselines.low_risk_over_commitment import LowRiskOverCommitment
from hydatis.simulations.baselines.target_load_packing import TargetLoadPacking
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.baselines.volcano_usage import VolcanoUsage
from hydatis.simulations.gpu_sharing.devices import AnyDevice, Fullest, GpuDevices
from hydatis.simulations.gpu_sharing.open_gpu_share import OpenGpuShare


@dataclass(frozen=True)
class OneScore(Profile):
    """A profile whose nodes are ranked by one score alone, whatever the policy; equals by who was seen first."""

    score: ScorePlugin | None = None
    """None: all feasible nodes are equal, and one is taken at random."""

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        """Return the same plugins for every policy."""
        if self.score is None:
            return PluginSet(self.row_filters, (), (), ())
        scores = (WeightedPlugin(self.score, MOST_ROWS), WeightedPlugin(FirstSeen(), 1))
        return PluginSet(self.row_filters, (), scores, ())


@dataclass(frozen=True)
class OneScoreByChance(Profile):
    """A profile whose nodes are ranked by one score alone, whatever the policy; of equals one is taken at random."""

    score: ScorePlugin | None = None

    @property
    def every_score(self) -> tuple[ScorePlugin, ...]:
        """Return the score."""
        return () if self.score is None else (self.score,)

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        """Return the same plugins for every policy."""
        scores = [WeightedPlugin(score, 1) for score in self.every_score]
        return PluginSet(self.row_filters, self.neighbour_filters, scores, ())


@dataclass(frozen=True)
class OneHeuristic(Profile):
    """The profile of a cluster under one of the fallback heuristics, whatever the policy."""

    heuristic: Heuristic = Heuristic.KUBE_SCHEDULER

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        """Return the heuristic's plugins."""
        return super().under(replace(policy, heuristic=self.heuristic), models)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a policy may know when a run begins."""

    typical: TypicalPods
    """The workload's typical pods: FGD knows them in advance."""
    random: np.random.Generator
    """For policies that draw devices."""


_FINE_POINTS = 1_000_000
"""Of a score that ranks alone, so that nodes are equal only if they are."""

PolicyMaker = Callable[[Surroundings], Profile]


def _filters(devices: GpuDevices) -> tuple[FilterPlugin, ...]:
    return (
        NodeUnschedulable(),
        TaintToleration(),
        NodeAffinity(),
        NodeResourcesFit(),
        OpenGpuShare(devices),
    )


def _one_score(devices: GpuDevices, score: ScorePlugin | None) -> Profile:
    return OneScore(
        prefilters=(NodeAffinity(),),
        filters=_filters(devices),
        neighbour_filters=(),
        last_filters=(),
        reserves=(),
        score=score,
    )


def _random(around: Surroundings) -> Profile:
    return _one_score(GpuDevices(AnyDevice(around.random)), None)


def _with_fullest(score: Callable[[GpuDevices], ScorePlugin]) -> PolicyMaker:
    def make(around: Surroundings) -> Profile:
        devices = GpuDevices(Fullest())
        return _one_score(devices, score(devices))

    return make


def _fgd(around: Surroundings) -> Profile:
    score = FgdScore(Fragmentation(around.typical))
    return _one_score(score.devices, score)


def _under(heuristic: Heuristic) -> PolicyMaker:
    """A heuristic as in a cluster, with GPU sharing beside it."""

    def make(around: Surroundings) -> Profile:
        profile = OneHeuristic(heuristic=heuristic)
        return replace(profile, filters=(*profile.filters, OpenGpuShare(GpuDevices(Fullest()))))

    return make


def _by_use(score: ScorePlugin, *filters: FilterPlugin) -> PolicyMaker:
    """A policy that looks at measured use, beside kube-scheduler's filters."""

    def make(around: Surroundings) -> Profile:
        profile = OneScoreByChance(score=score)
        return replace(profile, filters=(*profile.filters, *filters))

    return make


def _low_risk(around: Surroundings) -> Profile:
    return OneScoreByChance(score=LowRiskOverCommitment())


def _filtering(plugin: KoordinatorLoadAware | CraneDynamic | VolcanoUsage) -> PolicyMaker:
    return _by_use(plugin, plugin)


SHARING_GPUS: Mapping[str, PolicyMaker] = MappingProxyType(
    {
        "Random": _random,
        "DotProd": _with_fullest(DotProduct),
        "GpuClustering": _with_fullest(GpuClustering),
        "GpuPacking": _with_fullest(GpuPacking),
        "BestFit": _with_fullest(BestFit),
        "FGD": _fgd,
        "KubeScheduler": _under(Heuristic.KUBE_SCHEDULER),
        "LeastAllocated": _under(Heuristic.LEAST_ALLOCATED),
        "MostAllocated": _under(Heuristic.MOST_ALLOCATED),
    }
)
"""Policies that know of shares of GPUs. The first six are those of the FGD paper; the others are what
`fallback.heuristic` of that name does in a cluster.
"""

BY_OWNERS: Mapping[str, PolicyMaker] = MappingProxyType(
    {
        "LeastAllocatedByClass": _by_use(AllocatedByClass()),
        "MostAllocatedByClass": _by_use(AllocatedByClass(prefers=Preference.MOST)),
        "BestFitByClass": _by_use(AllocatedByClass(prefers=Preference.BEST_FIT)),
        "DotProdByClass": _by_use(AllocatedByClass(prefers=Preference.DOT_PRODUCT)),
    }
)
"""Policies that look at what owners' pods have been seen to use, and at no sample of a node."""

BY_USE: Mapping[str, PolicyMaker] = MappingProxyType(
    {
        "TargetLoadPacking": _by_use(TargetLoadPacking()),
        "TargetLoadPackingByClass": _by_use(TargetLoadPacking(by_class=True)),
        "LoadVariationRiskBalancing": _by_use(LoadVariationRiskBalancing()),
        "LoadVariationRiskBalancingByClass": _by_use(LoadVariationRiskBalancing(by_class=True)),
        "LowRiskOverCommitment": _low_risk,
        "Koordinator": _filtering(KoordinatorLoadAware()),
        "KoordinatorWithoutFilter": _by_use(KoordinatorLoadAware()),
        "KoordinatorByClass": _by_use(KoordinatorLoadAware(by_class=True)),
        "Crane": _filtering(CraneDynamic()),
        "CraneByClass": _filtering(CraneDynamic(by_class=True)),
        "Volcano": _filtering(VolcanoUsage()),
        "VolcanoByClass": _filtering(VolcanoUsage(by_class=True)),
        "ExpectedOverload": _by_use(ExpectedOverload(points=_FINE_POINTS)),
    }
)
"""Policies that look at measured use; they know of whole nodes alone, not of shares of GPUs."""

KNOWING_THE_FUTURE: Mapping[str, PolicyMaker] = MappingProxyType({"Clairvoyant": lambda around: Clairvoyant()})
"""What regret is told against; for clusters in virtual time alone."""

POLICIES: Mapping[str, PolicyMaker] = MappingProxyType({**SHARING_GPUS, **BY_OWNERS, **BY_USE, **KNOWING_THE_FUTURE})
"""All of them."""
