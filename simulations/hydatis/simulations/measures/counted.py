"""The part of a run that counts: what was sampled after the warm-up, and the pods that came after it.

Every measure looks at a run through this, so that all mean the same by a node-minute, a used node or a new pod.
"""

from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int32Array, Int64Array
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord

Number = TypeVar("Number", np.float32, np.int32)

_SAMPLE_SECONDS = 60.0
"""Between samples of a record that has just one."""


class CountedPart:
    """A run without its warm-up, and without the nodes that no pod can use, such as a control plane with its taint."""

    def __init__(self, record: RunRecord, prices: Prices | None = None, open_nodes: BoolArray | None = None) -> None:
        """`open_nodes` has one entry a node of the record: whether pods can go there at all (None: to every node)."""
        self.record = record
        self.prices = prices or Prices()
        self._open = np.ones(len(record.nodes), dtype=np.bool_) if open_nodes is None else open_nodes
        there = ~np.isnan(record.cpu_demand_percent[:, self._open])
        # Without any node there is nothing to average over.
        self._counted = (record.times_seconds >= record.measured_from_seconds) & there.any(axis=1)

    def _table(self, of_record: NDArray[Number]) -> NDArray[Number]:
        """Return the samples and nodes that count of a table of samples and nodes."""
        return np.asarray(of_record[np.ix_(self._counted, self._open)])

    @cached_property
    def capacity_millicores(self) -> Float64Array:
        """(nodes,)"""
        return self.record.cpu_capacity_millicores[self._open]

    @cached_property
    def capacity_mib(self) -> Float64Array:
        """(nodes,)"""
        return self.record.memory_capacity_mib[self._open]

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
        return self._table(self.record.cpu_demand_percent).astype(np.float64)

    @cached_property
    def memory_percent(self) -> Float64Array:
        """(samples, nodes) Memory in use, % of capacity; NaN: node not there."""
        percent = self._table(self.record.memory_used_percent).astype(np.float64)
        return np.where(self.there, percent, np.nan)

    @cached_property
    def there(self) -> BoolArray:
        """(samples, nodes) Whether the node is there."""
        return np.asarray(~np.isnan(self.cpu_percent))

    @cached_property
    def used(self) -> BoolArray:
        """(samples, nodes) Whether the node has at least one pod."""
        pods: Int32Array = self._table(self.record.pods_on_node)
        return np.asarray((pods > 0) & self.there)

    @cached_property
    def node_minutes(self) -> Float64Array:
        """CPU percent of every node-minute, in no particular order."""
        return np.asarray(self.cpu_percent[self.there])

    @cached_property
    def free_millicores(self) -> Float64Array:
        """(samples, nodes) CPU not requested; 0 where the node is not there."""
        return self._free(self._table(self.record.cpu_requested_percent), self.capacity_millicores)

    @cached_property
    def free_mib(self) -> Float64Array:
        """(samples, nodes) Memory not requested; 0 where the node is not there."""
        return self._free(self._table(self.record.memory_requested_percent), self.capacity_mib)

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
