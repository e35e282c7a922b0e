"""Services and controllers whose selectors say which pods belong together.

kube-scheduler spreads pods that state no constraint of their own over hosts and zones, by the selectors of the
services that select them and of the controller that owns them (kubernetes plugins/helper/spread.go, DefaultSelector).
The cluster state owns this; `neighbours` reads it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hydatis.scheduler.label_selectors import LabelSelector, Operator, Requirement
from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.pod_patterns import parse_selector


class Workload(NamedTuple):
    """Names a Service, or a controller of pods: ReplicationController, ReplicaSet or StatefulSet."""

    kind: str
    namespace: str
    name: str


CONTROLLERS: Mapping[tuple[str, str], str] = {
    ("v1", "ReplicationController"): "ReplicationController",
    ("apps/v1", "ReplicaSet"): "ReplicaSet",
    ("apps/v1", "StatefulSet"): "StatefulSet",
}
"""(apiVersion, kind) of the owners whose selectors count."""


def controller_of(metadata: Mapping[str, Any]) -> Workload | None:
    """Return the controller that owns the pod, if its selector counts."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            kind = CONTROLLERS.get((owner.get("apiVersion", ""), owner.get("kind", "")))
            return None if kind is None else Workload(kind, metadata["namespace"], owner.get("name", ""))
    return None


class Workloads:
    """Selectors of services and controllers."""

    def __init__(self) -> None:
        self._labels: dict[Workload, Mapping[str, str]] = {}
        """What services and ReplicationControllers select by: plain labels."""
        self._services: dict[str, dict[str, Workload]] = {}
        self._selectors: dict[Workload, LabelSelector] = {}
        """What ReplicaSets and StatefulSets select by."""
        self.version = 0
        """Grows with every change of a selector."""

    def set(self, workload: Workload, manifest: Mapping[str, Any]) -> None:
        """Note a workload's selector."""
        selector = (manifest.get("spec") or {}).get("selector") or {}
        if workload.kind in {"Service", "ReplicationController"}:
            if workload.kind == "Service":
                self._services.setdefault(workload.namespace, {})[workload.name] = workload
            changed = self._labels.get(workload, {}) != selector
            self._labels[workload] = selector
        else:
            parsed = parse_selector(selector)
            changed = self._selectors.get(workload) != parsed
            self._selectors[workload] = parsed
        self.version += changed

    def remove(self, workload: Workload) -> None:
        """Forget a workload."""
        if workload.kind == "Service":
            self._services.get(workload.namespace, {}).pop(workload.name, None)
        known = self._labels.pop(workload, None) is not None or self._selectors.pop(workload, None) is not None
        self.version += known

    def selector_for(self, pod: PodIdentity, controller: Workload | None) -> LabelSelector | None:
        """Return what pods that belong with this one have in common; None when nothing says so."""
        labels: dict[str, str] = {}
        for service in self._services.get(pod.namespace, {}).values():
            selector = self._labels[service]
            # A service without a selector selects nothing.
            if selector and all(pod.labels.get(key) == value for key, value in selector.items()):
                labels.update(selector)
        owned = None
        if controller is not None:
            labels.update(self._labels.get(controller, {}))
            owned = self._selectors.get(controller)
        requirements = {Requirement(key, Operator.IN, frozenset({value})) for key, value in labels.items()}
        if owned is not None:
            requirements.update(owned.requirements or ())
        if not requirements:
            return None
        return LabelSelector(tuple(sorted(requirements, key=lambda r: (r.key, r.operator, sorted(r.values)))))
