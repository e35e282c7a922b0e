"""Writes the record while a run goes on.

Called by the run: once a sample for nodes, whenever something becomes of a pod for pods.
"""

import numpy as np

from hydatis.scheduler.arrays import Float64Array
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord
from hydatis.simulations.virtual_time.running_pods import NOWHERE, RunningPods
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.workload import Workload


class Recorder:
    """A record that is not finished."""

    def __init__(self, scenario: Scenario, workload: Workload, machines: Machines) -> None:
        self._scenario = scenario
        self._machines = machines
        sample_seconds = scenario.assumptions.sample_seconds
        samples = int(np.ceil(scenario.length_seconds / sample_seconds))
        shape, pods = (samples, len(machines)), len(workload)
        self._times = np.arange(samples, dtype=np.float64) * sample_seconds
        self._cpu_demand = np.full(shape, np.nan, dtype=np.float32)
        self._memory_used = np.full(shape, np.nan, dtype=np.float32)
        self._cpu_requested = np.full(shape, np.nan, dtype=np.float32)
        self._memory_requested = np.full(shape, np.nan, dtype=np.float32)
        self._gpu_used = np.full(shape, np.nan, dtype=np.float32)
        self._network = np.full(shape, np.nan, dtype=np.float32)
        self._disk = np.full(shape, np.nan, dtype=np.float32)
        self._pods_on_node = np.zeros(shape, dtype=np.int32)
        self._pending = np.zeros(samples, dtype=np.int64)
        self._throttled = np.zeros(samples)
        self._cpu_request, self._memory_request = workload.cpu_millicores, workload.memory_mib
        self._created = workload.created_seconds.astype(np.float64)
        self._placed = np.full(pods, np.nan)
        self._ended = np.full(pods, np.nan)
        self._node_of_pod = np.full(pods, NOWHERE, dtype=np.int64)
        self.outcome = np.full(pods, PodOutcome.PENDING, dtype=np.int8)
        """How each pod stands at the moment."""
        self._restarts = np.zeros(pods, dtype=np.int32)
        self._stretched = np.zeros(pods)
        self.decisions = 0

    # Pods

    def waits(self, pod: int) -> None:
        """The pod waits for a node, or is made again for that."""
        self.outcome[pod] = PodOutcome.PENDING
        self._ended[pod] = np.nan

    def is_made_again(self, pod: int) -> None:
        """The pod's owner has made it again."""
        self._restarts[pod] += 1
        self.waits(pod)

    def placed(self, pod: int, node: int, now: float) -> None:
        """The pod is bound to a node."""
        self._node_of_pod[pod] = node
        if np.isnan(self._placed[pod]):
            self._placed[pod] = now

    def runs(self, pod: int) -> None:
        """The pod runs."""
        self.outcome[pod] = PodOutcome.RUNNING

    def ends(self, pod: int, outcome: PodOutcome, now: float) -> None:
        """The pod ended, for this time at least."""
        self.outcome[pod] = outcome
        self._ended[pod] = now

    def stretched(self, pod: int, seconds: float) -> None:
        """The pod ran for so much longer than undisturbed."""
        self._stretched[pod] += seconds

    # Samples

    def throttled(self, now: float, core_seconds: float) -> None:
        """Pods want so much more CPU than they get from now until the next step."""
        self._throttled[self._sample_at(now)] += core_seconds

    def sample(self, now: float, running: RunningPods, pending: int) -> None:
        """Write down how the nodes are now."""
        row, here = self._sample_at(now), self._machines.running
        cpu, memory = self._machines.cpu_millicores, self._machines.memory_mib
        for table, amounts in (
            (self._cpu_demand, _percent(running.by_node(running.cpu_wanted), cpu)),
            (self._memory_used, _percent(running.by_node(running.memory_used), memory)),
            (self._cpu_requested, _percent(running.by_node(running.cpu_request), cpu)),
            (self._memory_requested, _percent(running.by_node(running.memory_request), memory)),
            (self._gpu_used, _percent(running.gpus_used(now), self._machines.gpus)),
            (self._network, running.network_kib_s(now)),
            (self._disk, running.disk_kib_s(now)),
        ):
            table[row] = np.where(here, amounts, np.nan)
        self._pods_on_node[row] = running.count_by_node()
        self._pending[row] = pending

    def finish(self) -> RunRecord:
        """Return the record."""
        return RunRecord(
            times_seconds=self._times,
            nodes=self._machines.names,
            cpu_capacity_millicores=self._machines.cpu_millicores,
            memory_capacity_mib=self._machines.memory_mib,
            cpu_demand_percent=self._cpu_demand,
            memory_used_percent=self._memory_used,
            cpu_requested_percent=self._cpu_requested,
            memory_requested_percent=self._memory_requested,
            gpu_used_percent=self._gpu_used,
            network_kib_s=self._network,
            disk_kib_s=self._disk,
            pods_on_node=self._pods_on_node,
            pending_pods=self._pending,
            throttled_core_seconds=self._throttled,
            cpu_request_millicores=self._cpu_request,
            memory_request_mib=self._memory_request,
            created_seconds=self._created,
            placed_seconds=self._placed,
            ended_seconds=self._ended,
            node_of_pod=self._node_of_pod,
            outcome=self.outcome,
            restarts=self._restarts,
            stretched_seconds=self._stretched,
            decisions=self.decisions,
            measured_from_seconds=self._scenario.warm_up_seconds,
        )

    def _sample_at(self, now: float) -> int:
        return int(now / self._scenario.assumptions.sample_seconds)


def _percent(amounts: Float64Array, whole: Float64Array) -> Float64Array:
    return np.divide(100.0 * amounts, whole, out=np.zeros(len(whole)), where=whole > 0)
