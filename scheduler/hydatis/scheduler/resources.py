"""Resource names and amounts: what a node offers and what a pod asks for.

Amounts are whole numbers: millicores for cpu, bytes for memory and ephemeral-storage, units for every other resource.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hydatis.scheduler.quantities import milli_value, parse_quantity, value

CPU: Final = "cpu"
MEMORY: Final = "memory"
EPHEMERAL_STORAGE: Final = "ephemeral-storage"
PODS: Final = "pods"

CPU_COLUMN: Final = 0
MEMORY_COLUMN: Final = 1
EPHEMERAL_STORAGE_COLUMN: Final = 2
PODS_COLUMN: Final = 3

RESOURCES_WITH_DEFAULTS: Final = (CPU_COLUMN, MEMORY_COLUMN)
"""The columns of `Cluster.nonzero_requested`."""

# What a container without a request counts as in LeastAllocated and MostAllocated, so that pods without requests
# still spread (kubernetes pkg/scheduler/util/pod_resources.go).
DEFAULT_CPU_MILLICORES: Final = 100
DEFAULT_MEMORY_BYTES: Final = 200 * 1024 * 1024

ResourceList = Mapping[str, Any]
"""Resource name to quantity, as a manifest writes it."""


def is_scalar_resource(name: str) -> bool:
    """Tell whether a resource beside cpu, memory, ephemeral-storage and pods counts for scheduling.

    Those are extended resources, huge pages, prefixed native resources and attachable volumes
    (kubernetes pkg/scheduler/util/utils.go, IsScalarResourceName).
    """
    if name.startswith(("hugepages-", "attachable-volumes-")):
        return True
    if "/" not in name:
        return False
    return "kubernetes.io/" in name or not name.startswith("requests.")


def counts_for_scheduling(name: str) -> bool:
    """Tell whether the resource has a column in the cluster's tables, other than `pods`."""
    return name in {CPU, MEMORY, EPHEMERAL_STORAGE} or is_scalar_resource(name)


def amount_of(name: str, nano: int) -> int:
    """Turn nano-units into the unit this resource is counted in."""
    return milli_value(nano) if name == CPU else value(nano)


class ResourceColumns:
    """Gives every resource name its column; names keep their column for good."""

    def __init__(self) -> None:
        self._columns = {
            CPU: CPU_COLUMN,
            MEMORY: MEMORY_COLUMN,
            EPHEMERAL_STORAGE: EPHEMERAL_STORAGE_COLUMN,
            PODS: PODS_COLUMN,
        }
        self._names = list(self._columns)

    def __len__(self) -> int:
        return len(self._names)

    def column(self, name: str) -> int:
        """Return the column of `name`, new if the name is."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = len(self._names)
            self._names.append(name)
        return column

    def find(self, name: str) -> int | None:
        """Return the column of `name`, or None when neither a node nor a pod has named it."""
        return self._columns.get(name)

    def name(self, column: int) -> str:
        """Return the name of a column."""
        return self._names[column]


def add_into(total: dict[str, int], requests: Iterable[tuple[str, int]]) -> None:
    """Add nano-amounts into `total`."""
    for name, nano in requests:
        total[name] = total.get(name, 0) + nano


def maximum_into(total: dict[str, int], requests: Iterable[tuple[str, int]]) -> None:
    """Raise each nano-amount in `total` to at least the one given."""
    for name, nano in requests:
        if nano > total.get(name, -1):
            total[name] = nano


def parse_resource_list(resources: ResourceList | None) -> dict[str, int]:
    """Return nano-amounts by name. Raises `QuantityInvalid`."""
    return {name: parse_quantity(quantity) for name, quantity in (resources or {}).items()}
