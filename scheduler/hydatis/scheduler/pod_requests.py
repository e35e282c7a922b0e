"""What a whole pod requests: containers, sidecars, init containers, pod-level resources and overhead.

The arithmetic is that of Kubernetes' component-helpers `resource/helpers.go` (PodRequests): containers and sidecars
run together and add up; each init container runs alone beside the sidecars started before it, so the pod needs the
largest of these; pod-level requests replace the sum; overhead comes on top. For a pod that already runs, what the
kubelet has allocated or set in place counts when it is more than the specification, and instead of it where the
kubelet could not do what the specification asks.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hydatis.scheduler.quantities import parse_quantity
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


class ContainerCpu(NamedTuple):
    """What one container states, in millicores; None: nothing."""

    request: int | None
    limit: int | None


_DEFAULT_NANO = {CPU: DEFAULT_CPU_MILLICORES * 10**6, MEMORY: DEFAULT_MEMORY_BYTES * 10**9}


def pod_requests(spec: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, int]:
    """Return the requests by resource name, in each resource's own unit; names that do not count for scheduling are
    left out.

    Raises `QuantityInvalid`.
    """
    total = _total(spec, status, {})
    return {name: amount_of(name, nano) for name, nano in total.items() if counts_for_scheduling(name)}


def pod_limits(spec: Mapping[str, Any]) -> dict[str, int]:
    """Return the limits of cpu and memory by resource name, added up as requests are; of what no container limits, none
    (kubernetes component-helpers resource/helpers.go, PodLimits). Raises `QuantityInvalid`.
    """
    total = _sum_containers(spec, {}, _limited)
    add_into(total, ((n, nano) for n, nano in parse_resource_list(spec.get("overhead")).items() if n in total))
    return {name: amount_of(name, nano) for name, nano in total.items() if name in {CPU, MEMORY}}


def container_cpu(spec: Mapping[str, Any]) -> tuple[ContainerCpu, ...]:
    """Return what each container, not counting init containers, states of cpu. Raises `QuantityInvalid`."""
    return tuple(
        ContainerCpu(_millicores(_specified(container)), _millicores(_limited(container)))
        for container in spec.get("containers") or ()
    )


def overhead_millicores(spec: Mapping[str, Any]) -> int:
    """Return the cpu that the pod's sandbox takes beside its containers. Raises `QuantityInvalid`."""
    return _millicores(spec.get("overhead") or {}) or 0


def _millicores(resources: Mapping[str, Any]) -> int | None:
    return amount_of(CPU, parse_quantity(resources[CPU])) if CPU in resources else None


def pod_nonzero_requests(spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int]:
    """Return the millicores and bytes a placed pod counts as in LeastAllocated and MostAllocated: each container
    without a request as 100m and 200Mi; in a pod with pod-level requests only where the whole pod requests none
    (kubernetes pkg/scheduler/framework/types.go, CalculateResource).
    """
    missing = _DEFAULT_NANO
    if _pod_level(spec):
        requested = _total(spec, status, {})
        missing = {name: nano for name, nano in _DEFAULT_NANO.items() if name not in requested}
    return _cpu_and_memory(_total(spec, status, missing))


def pod_scored_requests(spec: Mapping[str, Any]) -> dict[str, int]:
    """Return what a pod that waits counts as when NodeResourcesFit scores, by resource name, in each resource's unit.

    That is each container's request or 100m and 200Mi, and the overhead; pod-level requests are left out, since
    kube-scheduler makes this scorer without them (plugins/noderesources/fit.go, nodeResourceStrategyTypeMap).
    """
    total = _sum_containers(spec, _DEFAULT_NANO, _specified)
    add_into(total, parse_resource_list(spec.get("overhead")).items())
    return {name: amount_of(name, nano) for name, nano in total.items() if counts_for_scheduling(name)}


def _cpu_and_memory(total: Mapping[str, int]) -> tuple[int, int]:
    return amount_of(CPU, total.get(CPU, 0)), amount_of(MEMORY, total.get(MEMORY, 0))


def _total(spec: Mapping[str, Any], status: Mapping[str, Any], missing: Mapping[str, int]) -> dict[str, int]:
    reports = _Reports(status)
    total = {} if reports.resize_infeasible else _sum_containers(spec, missing, _specified)
    if reports.tell_anything:
        maximum_into(total, reports.allocated(spec, missing).items())
        maximum_into(total, reports.actuated(spec, missing).items())
    pod_level = _pod_level(spec)
    if pod_level:
        total.update(reports.pod_level(pod_level))
    add_into(total, parse_resource_list(spec.get("overhead")).items())
    return total


def _pod_level(spec: Mapping[str, Any]) -> dict[str, int]:
    requests = parse_resource_list((spec.get("resources") or {}).get("requests"))
    return _supported_at_pod_level(requests)


def _supported_at_pod_level(requests: Mapping[str, int]) -> dict[str, int]:
    return {name: nano for name, nano in requests.items() if name in {CPU, MEMORY} or name.startswith("hugepages-")}


def _specified(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return (container.get("resources") or {}).get("requests") or {}


def _limited(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return (container.get("resources") or {}).get("limits") or {}


def _sum_containers(
    spec: Mapping[str, Any],
    missing: Mapping[str, int],
    requests_of: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> dict[str, int]:
    def amounts(container: Mapping[str, Any]) -> dict[str, int]:
        requests = parse_resource_list(requests_of(container))
        for name, nano in missing.items():
            requests.setdefault(name, nano)
        return requests

    total: dict[str, int] = {}
    for container in spec.get("containers") or ():
        add_into(total, amounts(container).items())
    sidecars: dict[str, int] = {}
    highest_while_initialising: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        requests = amounts(container)
        if container.get("restartPolicy") == "Always":
            add_into(total, requests.items())
            add_into(sidecars, requests.items())
            requests = sidecars
        else:
            add_into(requests, sidecars.items())
        maximum_into(highest_while_initialising, requests.items())
    maximum_into(total, highest_while_initialising.items())
    return total


class _Reports:
    """What the kubelet says about resources it changed in place, container by container and for the whole pod."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._by_container: dict[str, Mapping[str, Any]] = {}
        for report in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
            self._by_container.setdefault(report.get("name", ""), report)
        self._resources = status.get("resources")
        self._allocated = status.get("allocatedResources")
        pending = next((c for c in status.get("conditions") or () if c.get("type") == "PodResizePending"), None)
        self.resize_infeasible = pending is not None and pending.get("reason") == "Infeasible"
        self.tell_anything = bool(self._by_container or self._tells_of_whole_pod or self.resize_infeasible)

    @property
    def _tells_of_whole_pod(self) -> bool:
        return self._allocated is not None and (self._resources or {}).get("requests") is not None

    def allocated(self, spec: Mapping[str, Any], missing: Mapping[str, int]) -> dict[str, int]:
        """Return what the kubelet has set aside for the containers."""
        if self._tells_of_whole_pod:
            return parse_resource_list(self._allocated)
        return _sum_containers(spec, missing, self._allocated_to)

    def actuated(self, spec: Mapping[str, Any], missing: Mapping[str, int]) -> dict[str, int]:
        """Return what the containers run with."""
        if self._tells_of_whole_pod:
            return parse_resource_list((self._resources or {}).get("requests"))
        return _sum_containers(spec, missing, self._actuated_of)

    def pod_level(self, specified: Mapping[str, int]) -> dict[str, int]:
        """Return the pod-level requests in effect."""
        if self._resources is None:
            return dict(specified)
        effective = {} if self.resize_infeasible else dict(specified)
        maximum_into(effective, parse_resource_list(self._resources.get("requests")).items())
        maximum_into(effective, parse_resource_list(self._allocated).items())
        return _supported_at_pod_level(effective)

    def _allocated_to(self, container: Mapping[str, Any]) -> Mapping[str, Any]:
        allocated: Mapping[str, Any] | None = self._report_on(container).get("allocatedResources")
        if allocated is not None:
            return allocated
        return {} if self.resize_infeasible else _specified(container)

    def _actuated_of(self, container: Mapping[str, Any]) -> Mapping[str, Any]:
        actuated: Mapping[str, Any] | None = (self._report_on(container).get("resources") or {}).get("requests")
        return self._allocated_to(container) if actuated is None else actuated

    def _report_on(self, container: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._by_container.get(container.get("name", ""), {})
