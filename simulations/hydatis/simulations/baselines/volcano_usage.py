"""Volcano's usage plugin: the nodes that use least, what is not yet measured estimated (volcano-sh/volcano
pkg/scheduler/plugins/usage, usage.go, estimator.go and shadow_cache.go of 2026).

With u the mean of the last 10 minutes of CPU and of memory, and the estimated use of pods that were placed less than
30 s ago on top, each as a share of the node held between 0 and 1, the score is 5 x 100 x the mean of 1 - u. A pod is
estimated at its request, plus a part of the way to its limit where that is higher: sigma = 0.15 + 0.85 / (1 + exp(-12
(U - 0.5))), U the mean of what is measured of the node's CPU and memory. One that states nothing is estimated at a
tenth of the node, times 1.2 for each other such pod before it. The pod that is to be placed does not count. The
predicate rejects nodes whose measured CPU or memory is above 80 %. With metrics older than five minutes, or none, a
node passes and scores 0.

The source adds such scores up as floating-point numbers; here they are whole millionths. By class, pods are estimated
at their owners' means, the pod that is to be placed counts as well, and see `UsageAware`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.pod_loads import PodLoad
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU, MEMORY
from hydatis.simulations.baselines.usage_aware import UsageAware, capacities, class_mean, unmeasured

CPU_EXCEEDED = "the CPU load of the node exceeds the upper limit."
MEMORY_EXCEEDED = "the memory load of the node exceeds the upper limit."

ONE = 1_000_000
"""What a score of 1 in the source's floating-point numbers is here."""
_ACTIVE_SECONDS = 300.0
"""MetricsActiveTime."""
_PERIOD_SECONDS = 600.0
"""NODE_METRICS_PERIOD."""
_BLIND_SECONDS = 30.0
"""defaultMetricsInterval: how long a pod is taken not to be in the metrics."""


@dataclass(frozen=True)
class VolcanoUsage(UsageAware):
    """Filter and score."""

    name: ClassVar[str] = "usage"

    usage_weight: int = 5
    """usage.weight."""
    threshold_percent: float = 80.0
    """thresholds, of CPU and memory."""
    sigma_base: float = 0.15
    """dynamic.sigma_base."""
    watermark: float = 0.5
    """dynamic.watermark."""
    sensitivity: float = 12.0
    """dynamic.sensitivity."""
    best_effort_ratio: float = 0.1
    """be_default_ratio."""
    best_effort_penalty: float = 1.2
    """be_penalty_factor."""

    def filter(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """Pass the nodes below the thresholds."""
        return np.asarray(~self._exceeds(cluster, rows).any(axis=0), dtype=np.bool_)

    def reasons(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Mapping[str, int]:
        """Name CPU, or else memory."""
        cpu, memory = self._exceeds(cluster, rows)
        counts = {CPU_EXCEEDED: cpu, MEMORY_EXCEEDED: memory & ~cpu}
        return {reason: int(np.count_nonzero(which)) for reason, which in counts.items() if which.any()}

    def unresolvable(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
        """All of them (UnschedulableAndUnresolvable)."""
        return np.ones(len(rows), dtype=np.bool_)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0 to 100 x `usage_weight`, in millionths."""
        load = cluster.load
        has = capacities(cluster, rows)
        active = self._active(cluster, rows)
        real = np.nan_to_num(self._measured(cluster, rows)) / has
        shadow = self._shadow(cluster, rows, real, has)
        if self.by_class:
            expected = load.stand_in(rows)
            known = active & ~np.isnan(self._measured(cluster, rows))
            real = np.where(known, real, expected / has)
            shadow = np.where(known, shadow, 0.0)
            shadow = shadow + np.array(load.expected_of(self.owner, requirements))[:, np.newaxis]
            active = np.ones_like(active)
        used = np.clip(real + shadow / has, 0.0, 1.0)
        score = ((1.0 - used[0]) + (1.0 - used[1])) / 2.0 * 100.0 * self.usage_weight
        return np.where(active, np.rint(score * ONE), 0.0).astype(np.int64)

    def _shadow(self, cluster: Cluster, rows: Rows, real: Float64Array, has: Float64Array) -> Float64Array:
        """Return (2, rows): the estimated use of pods that the metrics cannot hold yet (warmUpShadowCache)."""
        load = cluster.load
        shadow = np.zeros((2, len(rows)))
        # Asked, so that rows are looked at again when a pod is no longer taken to be unseen.
        recent = load.placed_within(rows, _BLIND_SECONDS) > 0
        by_class = class_mean(load) if self.by_class else None
        for position, _, pods in unmeasured(load, rows):
            if not recent[position]:
                continue
            sigma = self.sigma(float(real[:, position].mean()))
            best_effort = 0
            for placed in pods:
                if placed.since + _BLIND_SECONDS <= load.now:
                    continue
                if by_class is not None:
                    shadow[:, position] += by_class(placed)
                elif _states_nothing(placed):
                    shadow[:, position] += (
                        has[:, position] * self.best_effort_ratio * self.best_effort_penalty**best_effort
                    )
                    best_effort += 1
                else:
                    shadow[:, position] += self.estimated(placed.pod.requirements, sigma)
        return shadow

    def sigma(self, utilization: float) -> float:
        """Return how far pods are taken to go from their request to their limit (CalcDynamicSigma)."""
        steepness = -self.sensitivity * (utilization - self.watermark)
        return self.sigma_base + (1.0 - self.sigma_base) / (1.0 + float(np.exp(steepness)))

    def estimated(self, requirements: Requirements, sigma: float) -> Float64Array:
        """Return (2,): millicores and bytes of a pod that states something (EstimatePodResource)."""
        amounts = []
        for resource in (CPU, MEMORY):
            request = requirements.requests_by_name.get(resource, 0)
            limit = requirements.limits_by_name.get(resource, 0)
            amounts.append(request + max(0, limit - request) * sigma)
        return np.array(amounts)

    def _measured(self, cluster: Cluster, rows: Rows) -> Float64Array:
        window = cluster.load.over(_PERIOD_SECONDS)
        return np.stack([window.cpu_mean_millicores[rows], window.memory_mean_bytes[rows]])

    def _active(self, cluster: Cluster, rows: Rows) -> BoolArray:
        return cluster.load.younger(rows, _ACTIVE_SECONDS)

    def _exceeds(self, cluster: Cluster, rows: Rows) -> BoolArray:
        percent = np.nan_to_num(self._measured(cluster, rows)) / capacities(cluster, rows) * 100.0
        return np.asarray(self._active(cluster, rows) & (percent > self.threshold_percent), dtype=np.bool_)


def _states_nothing(placed: PodLoad) -> bool:
    requirements = placed.pod.requirements
    return not (requirements.requests_by_name or requirements.limits_by_name)
