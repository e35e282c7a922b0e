"""What is replayed: which pods come and go, in which order, on which nodes. Both sides play the same one.

Times are the simulation's; on the real cluster only the order is kept. A pod ends its lifetime after it came, wherever
it was placed and however long it waited, so that the order does not depend on who schedules.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.sandbox.replaying.errors import ReplayError
from hydatis.simulations.clusters import Manifest
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.manifests import OwnerManifests
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.workload import Workload


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A pod comes or goes. In order of time; pods that go are before those that come at the same time, as in a run."""

    seconds: float
    """Since the beginning of the simulation."""
    comes: bool
    pod: int
    """Its position in the workload."""


class History:
    """The first pods of a workload, in the order in which they come, with the ends that fall in between."""

    def __init__(self, scenario: Scenario, workload: Workload, most_pods: int) -> None:
        """Cut the workload after `most_pods` pods; what ends after the last of them came is left out."""
        self.scenario = scenario
        self.workload = workload
        self.machines = Machines(scenario.nodes)
        self.pods = range(min(most_pods, len(workload)))
        self.owners = [OwnerManifests(owner) for owner in workload.owners]
        self._owner_of_pod: list[int] = workload.owner_of_pod.tolist()
        self.steps = _steps(workload, len(self.pods))
        self._pods = {self.key(pod): pod for pod in self.pods}

    @property
    def namespaces(self) -> list[str]:
        """Those of all owners, sorted."""
        return sorted({owner.namespace for owner in self.workload.owners})

    def owner_of(self, pod: int) -> OwnerManifests:
        """Return whose pod it is."""
        return self.owners[self._owner_of_pod[pod]]

    def name(self, pod: int) -> str:
        """Return the pod's name, which is its uid in the simulation, as in a run."""
        return f"{self.owner_of(pod).owner.name}-{pod}"

    def key(self, pod: int) -> str:
        """Return NAMESPACE/NAME."""
        return f"{self.owner_of(pod).owner.namespace}/{self.name(pod)}"

    def pod_of(self, key: str) -> int | None:
        """Return the pod of this NAMESPACE/NAME; None: it is none of these."""
        return self._pods.get(key)

    def manifest(self, pod: int, node: str | None = None) -> Manifest:
        """Write the pod as the simulation does, waiting or on a node."""
        return self.owner_of(pod).pod(self.name(pod), node)


def check_scenario(scenario: Scenario) -> None:
    """Raise `ReplayError` where the scenario has what a plain cluster, or a replay, has not."""
    if scenario.demand.with_gpus:
        raise ReplayError(
            f"{scenario.name} shares GPUs in thousandths, which kube-scheduler does not; choose six, study or day."
        )
    assumed = scenario.assumptions
    if assumed.failures_a_node_day or assumed.drains_a_node_day or assumed.late_share:
        raise ReplayError(f"{scenario.name} has faults, and only pods are replayed; leave -faults out of the name.")


def _steps(workload: Workload, count: int) -> list[Step]:
    created = workload.created_seconds[:count]
    ends = created + workload.lifetime_seconds[:count]
    last = float(created[-1]) if count else 0.0
    steps = [Step(seconds, True, pod) for pod, seconds in enumerate(created.tolist())]
    steps += [Step(float(ends[pod]), False, pod) for pod in np.flatnonzero(ends <= last).tolist()]
    return sorted(steps)
