"""What a whole pod requests: containers, sidecars, init containers, pod-level resources and overhead.

The arithmetic is that of Kubernetes' component-helpers `resource/helpers.go` (PodRequests): containers and sidecars
run together and add up; each init container runs alone beside the sidecars started before it, so the pod needs the
largest of these; pod-level requests replace the sum; overhead comes on top. For a pod that already runs, what the
kubelet has allocated or set in place counts when it is more than the specification.
"""

from collections.abc import Mapping
from typing import Any

from hydatis.scheduler.resources import (
    CPU,
    DEFAULT_CPU_MILLICORES,
    DEFAULT_MEMORY_BYTES,
    MEMORY,
    add_into,
    amount_of,
    counts_for_scheduling,
    maximum_into,
    parse_resource_list,
)

_DEFAULT_NANO = {CPU: DEFAULT_CPU_MILLICORES * 10**6, MEMORY: DEFAULT_MEMORY_BYTES * 10**9}


def pod_requests(spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, int]:
    """Return the requests by resource name, in each resource's own unit; names that do not count for scheduling are
    left out.

    Raises `QuantityInvalid`.
    """
    total = _total(spec, status, {})
    return {name: amount_of(name, nano) for name, nano in total.items() if counts_for_scheduling(name)}


def pod_nonzero_requests(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int]:
    """Return millicores and bytes, each container without a request counted as 100m and 200Mi
    (`GetNonzeroRequests`).
    """
    total = _total(spec, status, _DEFAULT_NANO)
    return amount_of(CPU, total.get(CPU, 0)), amount_of(MEMORY, total.get(MEMORY, 0))


def _total(spec: Mapping[str, Any], status: Mapping[str, Any], missing: Mapping[str, int]) -> dict[str, int]:
    in_place = _ContainerStatuses(status)
    total = _sum_containers(spec, missing, {})
    if in_place.tell_anything:
        allocated = _sum_containers(spec, missing, in_place.allocated)
        actuated = _sum_containers(spec, missing, in_place.actuated)
        if in_place.resize_infeasible:
            total = {}
        maximum_into(total, allocated.items())
        maximum_into(total, actuated.items())
    pod_level = parse_resource_list((spec.get("resources") or {}).get("requests"))
    if any(map(_supported_at_pod_level, pod_level)):
        if in_place.resize_infeasible:
            pod_level = {}
        maximum_into(pod_level, parse_resource_list((status.get("resources") or {}).get("requests")).items())
        maximum_into(pod_level, parse_resource_list(status.get("allocatedResources")).items())
        total.update((name, nano) for name, nano in pod_level.items() if _supported_at_pod_level(name))
    add_into(total, parse_resource_list(spec.get("overhead")).items())
    return total


def _supported_at_pod_level(name: str) -> bool:
    return name in {CPU, MEMORY} or name.startswith("hugepages-")


def _sum_containers(
    spec: Mapping[str, Any], missing: Mapping[str, int], in_place: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    def requests_of(container: Mapping[str, Any]) -> dict[str, int]:
        known = in_place.get(container.get("name", ""))
        requests = (
            parse_resource_list((container.get("resources") or {}).get("requests")) if known is None else dict(known)
        )
        for name, nano in missing.items():
            requests.setdefault(name, nano)
        return requests

    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        add_into(total, requests_of(container).items())
    sidecars: dict[str, int] = {}
    highest_while_initialising: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        requests = requests_of(container)
        if container.get("restartPolicy") == "Always":
            add_into(total, requests.items())
            add_into(sidecars, requests.items())
            requests = sidecars
        else:
            add_into(requests, sidecars.items())
        maximum_into(highest_while_initialising, requests.items())
    maximum_into(total, highest_while_initialising.items())
    return total


class _ContainerStatuses:
    """What the kubelet says about resources it changed in place."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self.allocated: dict[str, Mapping[str, int]] = {}
        self.actuated: dict[str, Mapping[str, int]] = {}
        for container in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
            allocated = container.get("allocatedResources")
            actuated = (container.get("resources") or {}).get("requests")
            if allocated is not None:
                self.allocated[container["name"]] = parse_resource_list(allocated)
            if actuated is not None or allocated is not None:
                self.actuated[container["name"]] = parse_resource_list(allocated if actuated is None else actuated)
        self.tell_anything = bool(self.actuated)
        pending = next((c for c in status.get("conditions") or () if c.get("type") == "PodResizePending"), None)
        self.resize_infeasible = pending is not None and pending.get("reason") == "Infeasible"
