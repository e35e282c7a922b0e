"""What the decision core asks of its driver."""

from dataclasses import dataclass
from typing import NamedTuple

from hydatis.scheduler.decision import Decision, PodReference


class ClaimReference(NamedTuple):
    """Names one PersistentVolumeClaim, this very one."""

    namespace: str
    name: str
    uid: str


class VolumeForClaim(NamedTuple):
    """A PersistentVolume that the core chose for a claim."""

    volume: str
    claim: ClaimReference


@dataclass(frozen=True, slots=True)
class VolumesToBind:
    """What has to happen to a pod's claims before the pod is bound to its node (kubernetes plugins/volumebinding,
    PodVolumes).

    The driver carries it out as PreBind, waits until every claim named is bound, and only then binds the pod.
    """

    bind: tuple[VolumeForClaim, ...] = ()
    """Volumes to be bound to claims: the volume's `spec.claimRef` is set."""
    provision: tuple[ClaimReference, ...] = ()
    """Claims to be provisioned for the node: the annotation `volume.kubernetes.io/selected-node` is set."""

    def __bool__(self) -> bool:
        return bool(self.bind or self.provision)


NO_VOLUMES = VolumesToBind()


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind the pod to the node, then answer with `BindSucceeded` or `BindFailed`.

    The core has already reserved the node's resources for the pod (assumed it) and goes on deciding meanwhile.
    """

    pod: PodReference
    node: str
    decision: Decision
    volumes: VolumesToBind = NO_VOLUMES


@dataclass(frozen=True, slots=True)
class Preemption:
    """Pods that make way for one of higher priority (kubernetes framework/preemption/executor.go).

    The driver gives each victim the condition DisruptionTarget, deletes it with its own grace period and records an
    Event on it. Victims that it cannot delete it reports with `PreemptionFailed`. It withdraws the nomination of the
    outranked pods (`status.nominatedNodeName`).
    """

    node: str
    scheduler_name: str
    """`spec.schedulerName` of the pod they make way for."""
    victims: tuple[PodReference, ...]
    """To be deleted; pods that are on their way out already are not named again."""
    victim_count: int
    """How many make way, those included that are on their way out already."""
    outranked: tuple[PodReference, ...] = ()
    """Pods of lower priority that were nominated to the node."""


@dataclass(frozen=True, slots=True)
class ReportUnschedulable:
    """Set the pod's condition PodScheduled=False, reason Unschedulable, and record a FailedScheduling Event with
    `message`.

    The core keeps the pod and tries it again when the cluster changes in a way that may help.
    """

    pod: PodReference
    message: str
    decision: Decision
    nominated_node: str | None = None
    """What `status.nominatedNodeName` is to be, empty for none; None: as it is."""
    preemption: Preemption | None = None
    paused: bool = False
    """Whether no node was looked at because the pod's policy is paused: no new node would help, so the condition's
    reason is SchedulingPaused."""


Instruction = Bind | ReportUnschedulable
