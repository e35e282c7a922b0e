"""The record of one scheduling cycle: what was chosen, by how much, and why the other nodes were not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from hydatis.scheduler.evidence import Evidence


class Mode(StrEnum):
    """Who scored the nodes."""

    FALLBACK = "Fallback"
    """The policy's fallback heuristic, without any model."""
    ENSEMBLE = "Ensemble"
    """The policy's ensemble, of those of its parts that are there."""


@dataclass(frozen=True, slots=True)
class PodReference:
    """Names one pod, this very one: a pod of the same name created later has another uid."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ModelReference(NamedTuple):
    """Names one model that scored nodes, this very one: other weights of the same name have another digest."""

    name: str
    """Of its MLModel."""
    version: str
    """Its `spec.version`."""
    digest: str
    """SHA-256 of its ONNX bytes."""

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class PluginRejections:
    """The nodes that one plugin was the first to reject."""

    plugin: str
    nodes: int
    reasons: Mapping[str, int]
    """Reason, in kube-scheduler's words, to the number of these nodes; a node may have several."""
    examples: tuple[str, ...] = ()
    """Some of the nodes; none where the plugin looked at the pod alone."""


@dataclass(frozen=True, slots=True)
class NodeScore:
    """A feasible node's score: the higher, the better.

    `parts` holds (plugin, weighted score); each is the plugin's normalised score, 0-100, times its weight, and
    `total` is their sum. Beside an ensemble, plugins that give all feasible nodes the same are left out of both, so
    that its 0-100 are told as they are.
    """

    node: str
    total: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a pod went where it went, or nowhere. Times are seconds on the driver's clock."""

    pod: PodReference
    scheduler_name: str
    """The pod's `spec.schedulerName`: its profile, in kube-scheduler's words."""
    policy: str
    policy_generation: int
    mode: Mode
    nodes: int
    """Nodes in the cluster."""
    feasible: int
    """Nodes that passed every filter."""
    chosen: NodeScore | None
    runner_up: NodeScore | None
    rejections: Mapping[str, int]
    """Reason, in kube-scheduler's words, to the number of nodes it holds for; filled only when no node was feasible."""
    rejected_by: frozenset[str]
    """The plugins that rejected; filled only when no node was feasible."""
    attempts: int
    """Scheduling cycles this pod has been through, this one included."""
    first_queued_at: float
    """When the pod first became ready to schedule (seen, or its last gate removed)."""
    decided_at: float
    nominated: bool = False
    """Whether it is the node that was kept for the pod, so that no other was looked at."""
    shadow: NodeScore | None = None
    """What the ensemble would have chosen, under a policy whose ensemble only watches; None: no ensemble watched."""
    rejected: tuple["PluginRejections", ...] = ()
    """The same as `rejections` by plugin; filled only when no node was feasible."""
    evidence: "Evidence | None" = field(default=None, repr=False, compare=False)
    """What the decision saw, where it is kept (`Settings.keep_evidence`) and there was something to choose."""
    models: tuple[ModelReference, ...] = ()
    """The models that scored the nodes, or would have under a policy whose ensemble only watches."""

    @property
    def shadow_agrees(self) -> bool:
        """Whether the ensemble that only watched would have chosen the same node."""
        return self.chosen is not None and self.shadow is not None and self.chosen.node == self.shadow.node

    def summary(self) -> str:
        """One line for the pod's Scheduled Event, after «Successfully assigned NS/POD to NODE»; parts of 0 are left
        out.
        """
        if self.chosen is None:
            return ""
        if self.nominated:
            return f"the node it was nominated to; {self._scored_by()}"
        parts = ", ".join(f"{name} {self._told(score)}" for name, score in self.chosen.parts if score)
        text = f"score {self._told(self.chosen.total)}" + (f" ({parts})" if parts else "")
        if self.runner_up is not None:
            behind = self._told(self.runner_up.total - self.chosen.total)
            text += f"; runner-up {self.runner_up.node} {behind if behind.startswith('-') else f'+{behind}'}"
        text += f"; {self.feasible} of {self.nodes} nodes feasible"
        if self.shadow is not None:
            whom = "the same" if self.shadow_agrees else self.shadow.node
            text += f"; the ensemble would choose {whom} ({_hundredths(self.shadow.total)})"
        return f"{text}; {self._scored_by()}"

    def _scored_by(self) -> str:
        models = f", models {', '.join(map(str, self.models))}" if self.models else ""
        return f"policy {self.policy}, mode {self.mode}{models}"

    def _told(self, score: int) -> str:
        """Write a score: those of the ensemble count hundredths of a point."""
        return _hundredths(score) if self.mode is Mode.ENSEMBLE else str(score)


def _hundredths(score: int) -> str:
    return f"{score / 100:.2f}"
