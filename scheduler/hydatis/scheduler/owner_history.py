"""What each owner's pods have been seen to use, as shares of what they request: learned as measurements arrive.

`MeasuredLoad` owns it; it holds for every owner a mean, a variance, a histogram and a profile by hour of the day, all
forgetting with a half-life, in bounded memory. Requests here are Kubernetes' non-zero ones (100m and 200Mi for a
container without), so that there is always something to take a share of.

An owner of which little is known is taken to be like the others. With x the owner's own mean, s2 its variance and n how
many independent observations it has, M the mean over owners, W their mean variance and T the variance between owners,

    z = n / (n + W / T)    mean = z x + (1 - z) M    variance = z s2 + (1 - z) (W + T)

which is the linear Bayes estimator of Buehlmann's credibility theory (H. Buehlmann, E. Straub, «Glaubwuerdigkeit fuer
Schadensaetze», 1970; as empirical Bayes: B. Efron, C. Morris, «Data Analysis Using Stein's Estimator», JASA 1975). M, W
and T are estimated from the owners by moments, together with a first guess that counts like `prior_weight` owners.
Samples of one pod that follow each other closely say the same thing again: one counts as a new observation only by the
time since the last as a share of `correlation_seconds`.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from hydatis.scheduler.arrays import Float64Array, Rows
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.remembered_owners import RememberedOwners
from hydatis.scheduler.shared_swings import SharedSwings
from hydatis.scheduler.usage_histogram import BUCKETS, bucket_of, quantile

UNKNOWN: Final = 0
"""The number of all owners that have none of their own: their mean is that of the population."""

_HOURS = 24
_SECONDS_AN_HOUR = 3600.0
_SMALLEST_CAPACITY = 64
_LEAST_VARIANCE_BETWEEN = 1e-4
"""A hundredth of the request: owners are never taken to be all the same."""
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class FirstGuess:
    """What owners are taken to be like before any measurement, as shares of the request."""

    mean: float
    deviation: float
    """Of one pod's use from its owner's mean, over time and pods."""
    deviation_between: float
    """Of owners' means from each other."""


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """How owners' history is kept."""

    half_life_seconds: float = 3 * 86_400.0
    """In what is known of an owner, a sample counts half after so long."""
    correlation_seconds: float = 3600.0
    """For how long a pod's use tells little more than one sample of it."""
    pod_half_life_seconds: float = 6 * 3600.0
    """The same of a pod's own samples, in what is expected of that pod."""
    pod_counts_from: float = 1.0
    """With so many observations of its own, a pod's mean counts as much as its owner's in what is expected of it."""
    most_owners: int = 10_000
    """Owners remembered. Those without pods make way first; when all have pods, new ones stay unknown."""
    cpu: FirstGuess = FirstGuess(0.5, 0.3, 0.3)
    memory: FirstGuess = FirstGuess(0.7, 0.2, 0.3)
    prior_weight: float = 1.0
    """How many owners the first guess counts for; above 0."""
    shared: float = 0.3
    """The first guess of how much of their variance pods of an owner have in common, 0 to 1."""
    shared_counts_from: float = 6.0
    """With so many moments an owner's own part in common counts as much as all owners'."""


class Use(NamedTuple):
    """What one pod is expected to use, as shares of its request."""

    cpu_mean: float
    cpu_variance: float
    memory_mean: float
    memory_variance: float


class _Estimates(NamedTuple):
    mean: Float64Array
    """(2, owners): CPU and memory."""
    variance: Float64Array
    own: Float64Array
    """(2, owners): z, how much of the estimate is the owner's own, 0 to 1."""
    pseudo_count: Float64Array
    """(2,): W / T, the observations that the population's mean counts for."""
    shared: Float64Array
    """(2, owners): how much of the variance two pods of the owner have in common at one time, 0 to 1."""


class OwnerHistory:
    """Statistics by owner; each owner has a number while it is remembered."""

    def __init__(self, settings: HistorySettings | None = None) -> None:
        self._settings = settings or HistorySettings()
        self._guesses = (self._settings.cpu, self._settings.memory)
        self.version = 0
        """Grows with everything that is learned."""
        self._numbers: dict[Owner, int] = {}
        self._pods: list[int] = [0]
        """By number: the placed pods."""
        self._left: OrderedDict[int, Owner] = OrderedDict()
        """Owners without pods, the longest without first."""
        self._weight: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._sum: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._squares: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._observations: Float64Array = np.zeros((2, _SMALLEST_CAPACITY))
        self._histogram: Float64Array = np.zeros((2, _SMALLEST_CAPACITY, BUCKETS))
        self._hour_weight: Float64Array = np.zeros((_HOURS, _SMALLEST_CAPACITY))
        self._hour_sum: Float64Array = np.zeros((_HOURS, _SMALLEST_CAPACITY))
        self._swings = SharedSwings(_SMALLEST_CAPACITY)
        self._learned_at: Float64Array = np.full(_SMALLEST_CAPACITY, -np.inf)
        self._estimates: tuple[int, _Estimates] | None = None

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def known(self) -> int:
        """How many owners something has been learned of."""
        return int(np.isfinite(self._learned_at[list(self._numbers.values())]).sum())

    # Which owners there are

    def hold(self, owner: Owner) -> int:
        """Count one more pod of the owner; return the owner's number, which stays its own while it has pods."""
        number = self._numbers.get(owner)
        if number is None:
            number = self._new_number()
            if number == UNKNOWN:
                return UNKNOWN
            self._numbers[owner] = number
        elif not self._pods[number]:
            del self._left[number]
        self._pods[number] += 1
        return number

    def release(self, number: int, owner: Owner) -> None:
        """Count one pod less of the owner that has this number."""
        if number != UNKNOWN:
            self._pods[number] -= 1
            if not self._pods[number]:
                self._left[number] = owner

    def number_of(self, owner: Owner) -> int:
        """Return the owner's number, UNKNOWN if it has none."""
        return self._numbers.get(owner, UNKNOWN)

    # Learning

    def learn(self, numbers: Rows, shares: Float64Array, at: Float64Array, observations: Float64Array) -> None:
        """Take in samples of pods.

        `numbers` are their owners', `shares` (2, samples) what they use of their requests of CPU and memory (NaN:
        unknown), `at` (samples,) when, `observations` (samples,) 0 to 1: how much new each says.
        """
        self.version += 1
        known = numbers != UNKNOWN
        if not known.any():
            return
        numbers, shares, at, observations = numbers[known], shares[:, known], at[known], observations[known]
        self._forget_some(np.unique(numbers), float(at.max()))
        for resource, values in enumerate(shares):
            told = ~np.isnan(values)
            who, value = numbers[told], values[told]
            np.add.at(self._weight[resource], who, 1.0)
            np.add.at(self._sum[resource], who, value)
            np.add.at(self._squares[resource], who, value * value)
            np.add.at(self._observations[resource], who, observations[told])
            np.add.at(self._histogram[resource], (who, bucket_of(value)), 1.0)
        self._swings.learn(numbers, shares, observations)
        told = ~np.isnan(shares[0])
        hours = (at[told] // _SECONDS_AN_HOUR).astype(np.int64) % _HOURS
        np.add.at(self._hour_weight, (hours, numbers[told]), observations[told])
        np.add.at(self._hour_sum, (hours, numbers[told]), observations[told] * shares[0, told])

    # What is known

    @property
    def means(self) -> Float64Array:
        """(2, owners) by number: the expected share of the requests of CPU and memory. Readers do not write."""
        return self._estimated().mean

    @property
    def variances(self) -> Float64Array:
        """(2, owners) by number: the variance of one pod's share, over time and pods."""
        return self._estimated().variance

    @property
    def shared(self) -> Float64Array:
        """(2, owners) by number: how much of that variance two pods of the owner have in common at one time, 0 to 1."""
        return self._estimated().shared

    def use_of(self, owner: Owner) -> Use:
        """Return what a pod of the owner is expected to use."""
        number, estimates = self.number_of(owner), self._estimated()
        mean, variance = estimates.mean[:, number].tolist(), estimates.variance[:, number].tolist()
        return Use(mean[0], variance[0], mean[1], variance[1])

    def p95_of(self, owner: Owner) -> tuple[float, float]:
        """Return the 95th percentiles of the shares of CPU and memory; the owner's own samples count by z, the
        population's make up the rest. NaN before any sample.
        """
        number, own = self.number_of(owner), self._estimated().own
        found = []
        for resource in range(2):
            z = float(own[resource, number])
            mixed = z * _shares(self._histogram[resource, number])
            mixed = mixed + (1.0 - z) * _shares(self._histogram[resource].sum(axis=0))
            found.append(quantile(mixed, _P95))
        return found[0], found[1]

    def hourly_of(self, owner: Owner) -> Float64Array:
        """Return for each hour of the day (24,) how the use of CPU compares with the owner's mean: 1.0 as the mean.

        Of an hour's own mean as much counts as z would say of its observations.
        """
        number, estimates = self.number_of(owner), self._estimated()
        mean, pseudo = float(estimates.mean[0, number]), float(estimates.pseudo_count[0])
        if mean <= 0.0:
            return np.ones(_HOURS)
        by_hour = (self._hour_sum[:, number] + pseudo * mean) / (self._hour_weight[:, number] + pseudo)
        return np.asarray(by_hour / mean, dtype=np.float64)

    def observations_of(self, owner: Owner) -> float:
        """Return how many independent observations there are of the owner's use of CPU."""
        return float(self._observations[0, self.number_of(owner)])

    def _estimated(self) -> _Estimates:
        if self._estimates is None or self._estimates[0] != self.version:
            parts = [self._estimate(resource, guess) for resource, guess in enumerate(self._guesses)]
            mean, variance, own, pseudo = zip(*parts, strict=True)
            shared = np.stack([self._shared(resource, variance[resource]) for resource in range(2)])
            estimates = _Estimates(np.stack(mean), np.stack(variance), np.stack(own), np.array(pseudo), shared)
            self._estimates = (self.version, estimates)
        return self._estimates[1]

    def _estimate(self, resource: int, guess: FirstGuess) -> tuple[Float64Array, Float64Array, Float64Array, float]:
        weight, n = self._weight[resource], self._observations[resource]
        mean = self._sum[resource] / np.where(weight > 0, weight, 1.0)
        own_variance = np.maximum(0.0, self._squares[resource] / np.where(weight > 0, weight, 1.0) - mean * mean)
        prior = self._settings.prior_weight
        within = (float(n @ own_variance) + prior * guess.deviation**2) / (float(n.sum()) + prior)
        # Owners count alike in what is said of owners, but for those not yet seen even once.
        counts = np.minimum(1.0, n)
        owners = float(counts.sum()) + prior
        population = (float(counts @ mean) + prior * guess.mean) / owners
        spread = (float(counts @ (mean - population) ** 2) + prior * guess.deviation_between**2) / owners
        noise = float(np.sum(counts * within / np.where(n > 0, n, 1.0))) / owners
        between = max(_LEAST_VARIANCE_BETWEEN, spread - noise)
        pseudo = within / between
        z = n / (n + pseudo)
        return (
            z * mean + (1.0 - z) * population,
            z * own_variance + (1.0 - z) * (within + between),
            z,
            pseudo,
        )

    def _shared(self, resource: int, variance: Float64Array) -> Float64Array:
        """Shrink each owner's part in common towards that of all owners, as the moments that tell of it are few."""
        weight = self._swings.weight[resource]
        covariance = self._swings.covariance(resource)
        part = np.clip(covariance / np.maximum(variance, _LEAST_VARIANCE_BETWEEN), 0.0, 1.0)
        counts = np.minimum(1.0, weight)
        prior = self._settings.prior_weight
        average = (float(counts @ part) + prior * self._settings.shared) / (float(counts.sum()) + prior)
        own = weight / (weight + self._settings.shared_counts_from)
        return np.asarray(own * part + (1.0 - own) * average, dtype=np.float64)

    # What outlives a restart

    def remembered(self, now: float) -> RememberedOwners:
        """Return all that is known, to be handed to `restore` of another history."""
        numbers = np.array(list(self._numbers.values()), dtype=np.intp)
        tables = tuple(np.array(table[:, numbers]) for table in self._tables())
        return RememberedOwners(tuple(self._numbers), now - self._learned_at[numbers], tables)

    def restore(self, remembered: RememberedOwners, now: float) -> None:
        """Take over what another history knew of owners of which nothing is known here."""
        self.version += 1
        for position, owner in enumerate(remembered.owners):
            if owner in self._numbers and np.isfinite(self._learned_at[self._numbers[owner]]):
                continue
            number = self.hold(owner)
            if number == UNKNOWN:
                break
            self.release(number, owner)
            for table, known in zip(self._tables(), remembered.tables, strict=True):
                table[:, number] = known[:, position]
            self._learned_at[number] = now - remembered.ages[position]

    # Tables

    def _tables(self) -> tuple[Float64Array, ...]:
        """Return what is forgotten in time, each with owners along the second axis."""
        learned = (self._weight, self._sum, self._squares, self._observations, self._histogram)
        return (*learned, self._hour_weight, self._hour_sum, *self._swings.tables())

    def _forget_some(self, numbers: Rows, now: float) -> None:
        """Let what is known of some owners weigh less by the time that has passed."""
        since = self._learned_at[numbers]
        passed = np.where(np.isfinite(since), np.maximum(0.0, now - since), 0.0)
        kept = 0.5 ** (passed / self._settings.half_life_seconds)
        for table in self._tables():
            table[:, numbers] *= kept if table.ndim == 2 else kept[:, np.newaxis]
        self._learned_at[numbers] = np.fmax(since, now)

    def _new_number(self) -> int:
        if len(self._numbers) >= self._settings.most_owners:
            if not self._left:
                return UNKNOWN
            number, owner = self._left.popitem(last=False)
            del self._numbers[owner]
            for table in self._tables():
                table[:, number] = 0.0
            self._learned_at[number] = -np.inf
            self.version += 1
            return number
        number = len(self._pods)
        self._pods.append(0)
        if number == len(self._learned_at):
            self._grow()
        return number

    def _grow(self) -> None:
        added = len(self._learned_at)
        self._weight = _wider(self._weight, added)
        self._sum = _wider(self._sum, added)
        self._squares = _wider(self._squares, added)
        self._observations = _wider(self._observations, added)
        self._histogram = _wider(self._histogram, added)
        self._hour_weight = _wider(self._hour_weight, added)
        self._hour_sum = _wider(self._hour_sum, added)
        self._swings.weight = _wider(self._swings.weight, added)
        self._swings.product = _wider(self._swings.product, added)
        self._swings.mean = _wider(self._swings.mean, added)
        self._learned_at = np.pad(self._learned_at, (0, added), constant_values=-np.inf)
        self._estimates = None


def _wider(table: Float64Array, added: int) -> Float64Array:
    """Make room for more owners, who are along the second axis."""
    return np.pad(table, [(0, 0), (0, added), *[(0, 0)] * (table.ndim - 2)])


def _shares(weights: Float64Array) -> Float64Array:
    total = float(weights.sum())
    return weights / total if total > 0.0 else weights
