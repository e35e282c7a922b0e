"""What a driver tells the decision core.

Objects arrive as the API server writes them: decoded JSON (`Mapping`), never typed client models. The core copies
what it needs and keeps no reference to them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hydatis.scheduler.arrays import Float64Array
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.remembered_owners import RememberedOwners
from hydatis.scheduler.workloads import Workload


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod was listed, added or modified: any pod that is not terminal, whoever schedules it."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PodGone:
    """A pod was deleted or became terminal (Succeeded, Failed)."""

    uid: str


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node was listed, added or modified."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NodeGone:
    """A node was deleted."""

    name: str


@dataclass(frozen=True, slots=True)
class NamespaceSeen:
    """A namespace was listed, added or modified; policies select namespaces by their labels."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NamespaceGone:
    """A namespace was deleted."""

    name: str


@dataclass(frozen=True, slots=True)
class WorkloadSeen:
    """A Service, ReplicationController, ReplicaSet or StatefulSet was listed, added or modified."""

    workload: Workload
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WorkloadGone:
    """A Service, ReplicationController, ReplicaSet or StatefulSet was deleted."""

    workload: Workload


@dataclass(frozen=True, slots=True)
class DisruptionBudgetSeen:
    """A PodDisruptionBudget was listed, added or modified."""

    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DisruptionBudgetGone:
    """A PodDisruptionBudget was deleted."""

    namespace: str
    name: str


class StorageKind(StrEnum):
    """The kinds of objects that say which volumes a node can reach."""

    PERSISTENT_VOLUME = "PersistentVolume"
    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    STORAGE_CLASS = "StorageClass"
    CSI_NODE = "CSINode"
    CSI_DRIVER = "CSIDriver"
    CSI_STORAGE_CAPACITY = "CSIStorageCapacity"
    VOLUME_ATTACHMENT = "VolumeAttachment"


@dataclass(frozen=True, slots=True)
class StorageSeen:
    """An object that volumes depend on was listed, added or modified."""

    kind: StorageKind
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StorageGone:
    """An object that volumes depend on was deleted."""

    kind: StorageKind
    namespace: str
    """Empty for kinds that have none."""
    name: str


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A valid policy takes effect, in place of the one of the same name."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class PolicyGone:
    """A policy was deleted; its pods fall to the next policy that selects them, at last to the built-in one."""

    name: str


@dataclass(frozen=True, slots=True)
class ModelLoaded:
    """A model was verified and can be used, in place of the one of the same name."""

    model: Model


@dataclass(frozen=True, slots=True)
class ModelGone:
    """A model was deleted; the ensembles that name it go on without it."""

    name: str


@dataclass(frozen=True, slots=True)
class BindSucceeded:
    """The API server accepted the binding that a `Bind` instruction asked for."""

    uid: str


@dataclass(frozen=True, slots=True)
class BindFailed:
    """The binding did not happen, and the driver knows that it did not.

    After an unknown outcome (time-out, connection lost, 500) the driver reads the pod first and then says which of
    the two it was. The core forgets the assumed pod and tries it again after its backoff.
    """

    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class PreemptionFailed:
    """Some victims that a `ReportUnschedulable` named could not be deleted, and are not going to be.

    The core counts on their going no longer, and tries the pod that was to displace them again.
    """

    uid: str
    """Of the pod that was to displace them."""
    victims: frozenset[str]
    """Their uids."""


@dataclass(frozen=True, slots=True)
class NodesMeasured:
    """Telemetry of some nodes arrived. Nodes that are left out keep what they had, which grows old."""

    nodes: Sequence[str]
    """Each at most once; those that do not exist are left out."""
    sampled_at: Float64Array
    """(nodes,) by the driver's clock: the end of the window that the sample averages over."""
    cpu_millicores: Float64Array
    """(nodes,) mean use over the window; NaN: unknown."""
    memory_bytes: Float64Array
    """(nodes,) NaN: unknown."""


@dataclass(frozen=True, slots=True)
class PodsMeasured:
    """Telemetry of some running pods arrived; it teaches what each owner's pods use."""

    uids: Sequence[str]
    """Each at most once; those that are not placed are left out."""
    sampled_at: Float64Array
    """(pods,) by the driver's clock: the end of the window that the sample averages over."""
    cpu_millicores: Float64Array
    """(pods,) mean use over the window; NaN: unknown."""
    memory_bytes: Float64Array
    """(pods,) NaN: unknown."""


@dataclass(frozen=True, slots=True)
class OwnersRemembered:
    """What was known of owners before this scheduler began; what it has learned itself stays."""

    remembered: RememberedOwners


Event = (
    PodSeen
    | PodGone
    | NodeSeen
    | NodeGone
    | NamespaceSeen
    | NamespaceGone
    | WorkloadSeen
    | WorkloadGone
    | DisruptionBudgetSeen
    | DisruptionBudgetGone
    | StorageSeen
    | StorageGone
    | PolicyInForce
    | PolicyGone
    | ModelLoaded
    | ModelGone
    | BindSucceeded
    | BindFailed
    | PreemptionFailed
    | NodesMeasured
    | PodsMeasured
    | OwnersRemembered
)
