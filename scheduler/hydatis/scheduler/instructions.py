"""What the decision core asks of its driver."""

from dataclasses import dataclass

from hydatis.scheduler.decision import Decision, PodReference


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind the pod to the node, then answer with `BindSucceeded` or `BindFailed`.

    The core has already reserved the node's resources for the pod (assumed it) and goes on deciding meanwhile.
    """

    pod: PodReference
    node: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class ReportUnschedulable:
    """Set the pod's condition PodScheduled=False, reason Unschedulable, and record a FailedScheduling Event with
    `message`.

    The core keeps the pod and tries it again when the cluster changes in a way that may help.
    """

    pod: PodReference
    message: str
    decision: Decision


Instruction = Bind | ReportUnschedulable
