"""Permit: the last word before a pod is bound. No plugin is there by default, as in kube-scheduler."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.decision import PodReference


@dataclass(frozen=True, slots=True)
class Denied:
    """A plugin refuses the placement."""

    plugin: str
    reason: str


class PermitPlugin(Protocol):
    """Allows or refuses a placement that is already reserved."""

    name: ClassVar[str]
    helped_by: ClassVar[ClusterEvent]
    """What can turn a refusal into an approval, wherever it happens."""

    def permit(self, pod: PodReference, node: str, cluster: Cluster) -> str | None:
        """Return None to allow, or the reason for refusing."""
        ...


def permit(plugins: Sequence[PermitPlugin], pod: PodReference, node: str, cluster: Cluster) -> Denied | None:
    """Ask the plugins in turn; the first refusal stands."""
    for plugin in plugins:
        reason = plugin.permit(pod, node, cluster)
        if reason is not None:
            return Denied(plugin.name, reason)
    return None
