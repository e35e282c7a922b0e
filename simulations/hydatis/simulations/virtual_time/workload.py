"""Which pods come, whose they are, how long they run and what they use meanwhile.

Built by `drawing` from recorded or made-up pods; tests build small ones by hand. Nothing of it depends on where pods
are placed.
"""

from dataclasses import dataclass, fields

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array
from hydatis.simulations.traces.forms import Float32Array

BEST_EFFORT = "BE"
"""The quality of service that comes last (`Owner.qos`)."""
GUARANTEED = "Guaranteed"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who makes pods: a ReplicaSet or a Job template. All its pods ask for the same."""

    name: str
    namespace: str
    qos: str
    """BE (best effort), LS (latency sensitive), Burstable or Guaranteed."""
    cpu_millicores: int
    memory_mib: int
    gpus: int = 0
    """Whole devices."""

    @property
    def best_effort(self) -> bool:
        """Whether its pods come last."""
        return self.qos == BEST_EFFORT


@dataclass(frozen=True, slots=True)
class Usage:
    """A table of what pods use over time, row by row a series that many pods can follow.

    Arrays have shape (series, steps); a metric's steps may be fewer than another's, down to one for what is steady.
    After its last step a series begins anew.
    """

    step_seconds: float
    cpu_percent: Float32Array
    """Percent of the pod's request; may exceed 100."""
    memory_percent: Float32Array
    """Percent of the pod's request; may exceed 100."""
    gpu_percent: Float32Array
    """Duty of the pod's GPUs, 0-100."""
    network_kib_s: Float32Array
    """Received and sent."""
    disk_kib_s: Float32Array
    """Read and written."""

    def __post_init__(self) -> None:
        if not self.step_seconds > 0:
            raise ValueError(f"step_seconds is {self.step_seconds}; it must be above 0")
        rows = {len(getattr(self, field.name)) for field in fields(self)[1:]}
        if len(rows) != 1:
            raise ValueError(f"the metrics of a usage table have different numbers of series: {sorted(rows)}")

    def __len__(self) -> int:
        return len(self.cpu_percent)


@dataclass(frozen=True, slots=True)
class Workload:
    """The pods of a run, in the order in which they come. Arrays of pods have one entry a pod and are not to be
    written.
    """

    owners: tuple[Owner, ...]
    owner_of_pod: Int64Array
    """An index into `owners`."""
    created_seconds: Float64Array
    """Never falling, from 0."""
    lifetime_seconds: Float64Array
    """How long it runs when nothing disturbs it, above 0; for initial pods what is left of it."""
    patience_seconds: Float64Array
    """How long it waits for a node until it is given up; infinite: for ever."""
    initial: BoolArray
    """Whether it is there when the run begins. These come first, at 0."""
    series: Int64Array
    """The row of `usage` that it follows."""
    offset_seconds: Float64Array
    """At time t the pod is at this + t in its series; not negative."""
    usage: Usage

    def __post_init__(self) -> None:
        count = len(self.owner_of_pod)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray) and value.shape != (count,):
                raise ValueError(f"{field.name} has shape {value.shape}; there are {count} pods")
        if count and (self.created_seconds[0] < 0 or (np.diff(self.created_seconds) < 0).any()):
            raise ValueError("created_seconds must rise from 0; sort the pods by it")
        if not (self.lifetime_seconds > 0).all():
            raise ValueError("lifetime_seconds must be above 0")
        if not (self.patience_seconds >= 0).all():
            raise ValueError("patience_seconds must not be negative")
        if not (self.offset_seconds >= 0).all():
            raise ValueError("offset_seconds must not be negative")

    def __len__(self) -> int:
        return len(self.owner_of_pod)

    @property
    def cpu_millicores(self) -> Float64Array:
        """What each pod requests."""
        return np.array([owner.cpu_millicores for owner in self.owners], dtype=np.float64)[self.owner_of_pod]

    @property
    def memory_mib(self) -> Float64Array:
        """What each pod requests."""
        return np.array([owner.memory_mib for owner in self.owners], dtype=np.float64)[self.owner_of_pod]

    @property
    def gpus(self) -> Float64Array:
        """What each pod requests."""
        return np.array([owner.gpus for owner in self.owners], dtype=np.float64)[self.owner_of_pod]
