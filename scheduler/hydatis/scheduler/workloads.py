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
        self._services: dict[str, dict[str, Mapping[str, str]]] = {}
        self._controllers: dict[Workload, LabelSelector] = {}
        self.version = 0
        """Grows with every change of a selector."""

    def set(self, workload: Workload, manifest: Mapping[str, Any]) -> None:
        """Note a workload's selector."""
        selector = (manifest.get("spec") or {}).get("selector")
        if workload.kind == "Service":
            services = self._services.setdefault(workload.namespace, {})
            if services.get(workload.name, {}) != (selector or {}):
                # A service without a selector selects nothing.
                services[workload.name] = selector or {}
                self.version += 1
            return
        parsed = parse_selector({"matchLabels": selector} if workload.kind == "ReplicationController" else selector)
        if self._controllers.get(workload) != parsed:
            self._controllers[workload] = parsed
            self.version += 1

    def remove(self, workload: Workload) -> None:
        """Forget a workload."""
        if workload.kind == "Service":
            if self._services.get(workload.namespace, {}).pop(workload.name, None):
                self.version += 1
        elif self._controllers.pop(workload, None) is not None:
            self.version += 1

    def selector_for(self, pod: PodIdentity, controller: Workload | None) -> LabelSelector | None:
        """Return what pods that belong with this one have in common; None when nothing says so."""
        labels: dict[str, str] = {}
        for selector in self._services.get(pod.namespace, {}).values():
            if selector and all(pod.labels.get(key) == value for key, value in selector.items()):
                labels.update(selector)
        requirements = {Requirement(key, Operator.IN, frozenset({value})) for key, value in labels.items()}
        owned = self._controllers.get(controller) if controller is not None else None
        if owned is not None:
            requirements.update(owned.requirements or ())
        if not requirements:
            return None
        return LabelSelector(tuple(sorted(requirements, key=lambda r: (r.key, r.operator, sorted(r.values)))))
