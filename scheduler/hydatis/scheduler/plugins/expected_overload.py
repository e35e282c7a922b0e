"""ExpectedOverload: the node on which the pod is expected to add least overload, by what owners' pods have been seen to
use and what is measured of nodes.

A node's use of a resource, as a share u of what it has, is taken to be normal with mean m and variance v. Its overload
is E[max(0, u - t)^2], t the threshold above which load hurts (or without the square, E[max(0, u - t)]). With d = m -
t, s = sqrt(v), and Phi and phi the standard normal distribution and density at d / s,

    E[max(0, u - t)]   = d Phi + s phi
    E[max(0, u - t)^2] = (d^2 + v) Phi + d s phi

A pod of mean a and variance b adds overload(m + a, v + b) - overload(m, v), for CPU and, weighed, for memory. a and b
are what its owner's pods have been seen to use. m is the mean over the pods' lives: in part what the node's last sample
says, with the load assumed on top of it for pods that it does not hold, and for the rest the sum of what its pods are
expected to use on average; where no sample is fresh, what stands in for it (`MeasuredLoad.stand_in`).

v is the variance of the sum of what the pods use (`ExpectedUse.variance`), in which pods of one owner swing together,
and of what is unknown. With r the pod's request, R that of its owner's pods on the node and c the part of their
variance V that they have in common, b is V (r^2 + 2 c r R). Of both only a part, `swing`, counts: what is left of
variance over time and pods where the last sample and each pod's own mean are known.

The score falls with the logarithm of what is added, since that spans many powers of ten between a node that is nearly
idle and one that is nearly full (`by_decade`).
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, OwnerAware, Scope
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.resources import CPU_COLUMN, MEMORY_COLUMN

DECADES = 12.0
"""An overload added of 1 or more, in squared shares of the node, scores 0, one of 10^-12 scores 90."""
_NEAR = 0.9
"""What is left above is for nodes that are nearly idle: they hardly differ, but are told apart."""
_LEAST = 1e-300
_NOBODY = Owner("", "", "")


@dataclass(frozen=True)
class ExpectedOverload(OwnerAware):
    """Score."""

    name: ClassVar[str] = "ExpectedOverload"
    scope: ClassVar[Scope] = Scope.LOAD
    normalization: ClassVar[Normalization] = Normalization.NONE

    cpu_threshold: float = 0.6
    """Share of a node's CPU above which load hurts."""
    memory_threshold: float = 0.9
    """The same of memory."""
    memory_weight: float = 1.0
    """What overload of memory counts beside that of CPU."""
    squared: bool = True
    """Whether twice the excess is four times as bad, or just twice."""
    measured_weight: float = 0.5
    """How much of the expected mean is what is measured now, 0 to 1; the rest is what the pods' owners use on
    average.
    """
    unknown_deviation: float = 0.05
    """Standard deviation, as a share of the node, of what pods' statistics do not tell: daemons, pods that peak
    together; above 0.
    """
    swing: float = 0.3
    """How much of the variance of pods' use counts, 0 to 1."""
    fresh_seconds: float = 180.0
    """Samples that are older do not count."""
    points: int = MAX_NODE_SCORE
    """The highest score: more than 100 where scores are compared with each other alone, so that fewer nodes are
    equal.
    """
    by_class: bool = True
    """Always: nothing is known of a pod but by its owner."""
    owner: Owner = _NOBODY
    """Whose pod is to be placed."""

    def for_owner(self, owner: Owner) -> Self:
        """Return the plugin as it answers for pods of this owner."""
        return replace(self, owner=owner)

    def applies(self, requirements: Requirements) -> bool:
        """Every pod."""
        return True

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0 to `points`, the higher the less overload the pod adds."""
        added = self.added_overload(requirements, cluster, rows)
        return (self.points * by_decade(added)).astype(np.int64)

    def added_overload(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Float64Array:
        """Return what the pod is expected to add to each row's overload, (rows,), at least 0, in (squared) shares of
        the node.
        """
        load = cluster.load
        use, number = load.owners.use_of(self.owner), load.owners.number_of(self.owner)
        requests = (requirements.nonzero_cpu, requirements.nonzero_memory)
        means = (requests[0] * use.cpu_mean, requests[1] * use.memory_mean)
        shares = (use.cpu_variance, use.memory_variance)
        like, shared = load.expected.requested_by(number, rows), load.owners.shared[:, number]
        expected, spread = load.expected.mean(rows), self.swing * load.expected.variance(rows)
        fresh = load.younger(rows, self.fresh_seconds)
        assumed, stand_in = load.assumed(rows), load.stand_in(rows)
        total = np.zeros(len(rows))
        kinds = (
            (CPU_COLUMN, load.cpu_millicores, self.cpu_threshold, 1.0),
            (MEMORY_COLUMN, load.memory_bytes, self.memory_threshold, self.memory_weight),
        )
        for kind, (column, measured, threshold, weight) in enumerate(kinds):
            has = cluster.allocatable[column, rows]
            told = measured[rows] + assumed[kind]
            now = np.where(fresh & ~np.isnan(told), np.maximum(0.0, told), stand_in[kind])
            mean = self.measured_weight * now + (1.0 - self.measured_weight) * expected[kind]
            request = float(requests[kind])
            swings = self.swing * shares[kind] * (request**2 + 2.0 * shared[kind] * request * like[kind])
            size = np.where(has > 0, has, 1).astype(np.float64)
            before = self._overload(mean / size, spread[kind] / size**2, threshold)
            after = self._overload((mean + means[kind]) / size, (spread[kind] + swings) / size**2, threshold)
            # A node that has none of the resource is full.
            total += weight * np.where(has > 0, np.maximum(0.0, after - before), 1.0)
        return total

    def _overload(self, mean: Float64Array, variance: Float64Array, threshold: float) -> Float64Array:
        return expected_excess(mean, variance + self.unknown_deviation**2, threshold, squared=self.squared)


def by_decade(added: Float64Array) -> Float64Array:
    """Return 0 to 1 by the power of ten of an overload that is added, the higher the less: in equal steps of a decade
    down to 10^-12, and ever smaller ones below. What is no number scores 0.
    """
    known = np.where(np.isnan(added), 1.0, added)
    decades = -np.log10(np.clip(known, _LEAST, 1.0))
    beyond = 1.0 - DECADES / np.maximum(decades, DECADES)
    found = _NEAR * np.minimum(decades, DECADES) / DECADES + (1.0 - _NEAR) * beyond
    return np.asarray(found, dtype=np.float64)


def expected_excess(mean: Float64Array, variance: Float64Array, threshold: float, *, squared: bool) -> Float64Array:
    """Return E[max(0, u - threshold)], or its square's, of normal u of variance above 0; all shapes (n,)."""
    distance, deviation = mean - threshold, np.sqrt(variance)
    z = distance / deviation
    above = 0.5 * np.array([math.erfc(-value / math.sqrt(2.0)) for value in z.tolist()])
    density = np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    excess = distance * above + deviation * density
    if squared:
        excess = (distance * distance + variance) * above + distance * deviation * density
    # Far below the threshold, rounding can leave a little less than nothing.
    return np.asarray(np.maximum(0.0, excess), dtype=np.float64)
