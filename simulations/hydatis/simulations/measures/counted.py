"""The part of a run that counts: what was sampled after the warm-up, and the pods that came after it.

Every measure looks at a run through this, so that all mean the same by a node-minute, a used node or a new pod.
"""

from functools import cached_property

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord

_SAMPLE_SECONDS = 60.0
"""Between samples of a record that has just one."""


class CountedPart:
    """A run without its warm-up."""

    def __init__(self, record: RunRecord, prices: Prices | None = None) -> None:
        self.record = record
        self.prices = prices or Prices()
        self._counted = (record.times_seconds >= record.measured_from_seconds) & _any_node(record)

    @property
    def samples(self) -> int:
        """How many samples count."""
        return int(self._counted.sum())

    @cached_property
    def times_seconds(self) -> Float64Array:
        """(samples,)"""
        return self.record.times_seconds[self._counted]

    @property
    def end_seconds(self) -> float:
        """When the run ended."""
        times = self.record.times_seconds
        sample = float(times[1] - times[0]) if len(times) > 1 else _SAMPLE_SECONDS
        return float(times[-1]) + sample if len(times) else 0.0

    @cached_property
    def pending_pods(self) -> Int64Array:
        """(samples,)"""
        return self.record.pending_pods[self._counted]

    @cached_property
    def cpu_percent(self) -> Float64Array:
        """(samples, nodes) CPU that a node's pods want, % of its capacity, may exceed 100; NaN: node not there."""
        return self.record.cpu_demand_percent[self._counted].astype(np.float64)

    @cached_property
    def memory_percent(self) -> Float64Array:
        """(samples, nodes) Memory in use, % of capacity; NaN: node not there."""
        percent = self.record.memory_used_percent[self._counted].astype(np.float64)
        return np.where(self.there, percent, np.nan)

    @cached_property
    def there(self) -> BoolArray:
        """(samples, nodes) Whether the node is there."""
        return np.asarray(~np.isnan(self.cpu_percent))

    @cached_property
    def used(self) -> BoolArray:
        """(samples, nodes) Whether the node has at least one pod."""
        pods: Int32Array = self.record.pods_on_node[self._counted]
        return np.asarray((pods > 0) & self.there)

    @cached_property
    def node_minutes(self) -> Float64Array:
        """CPU percent of every node-minute, in no particular order."""
        return np.asarray(self.cpu_percent[self.there])

    @cached_property
    def free_millicores(self) -> Float64Array:
        """(samples, nodes) CPU not requested; 0 where the node is not there."""
        return self._free(self.record.cpu_requested_percent[self._counted], self.record.cpu_capacity_millicores)

    @cached_property
    def free_mib(self) -> Float64Array:
        """(samples, nodes) Memory not requested; 0 where the node is not there."""
        return self._free(self.record.memory_requested_percent[self._counted], self.record.memory_capacity_mib)

    def _free(self, requested_percent: Float32Array, capacity: Float64Array) -> Float64Array:
        free = np.clip(100 - requested_percent.astype(np.float64), 0, 100) / 100 * capacity
        return np.where(self.there, free, 0)

    @cached_property
    def throttled_core_seconds(self) -> Float64Array:
        """(samples,)"""
        return self.record.throttled_core_seconds[self._counted]

    @cached_property
    def new_pods(self) -> BoolArray:
        """(pods,) Created after the warm-up: the pods that a policy's service is judged by."""
        return np.asarray(self.record.created_seconds >= self.record.measured_from_seconds)

    @cached_property
    def pods_alive(self) -> BoolArray:
        """(pods,) Not ended before the warm-up was over."""
        return np.asarray(~(self.record.ended_seconds < self.record.measured_from_seconds))

    def new_pods_that(self, *outcomes: PodOutcome) -> BoolArray:
        """(pods,) New pods with one of these outcomes."""
        return np.asarray(self.new_pods & np.isin(self.record.outcome, outcomes))


def _any_node(record: RunRecord) -> BoolArray:
    """(samples,) Whether at least one node is there: without any there is nothing to average over."""
    return np.asarray(~np.isnan(record.cpu_demand_percent).all(axis=1))
