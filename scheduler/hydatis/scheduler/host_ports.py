"""Host ports and when two of them collide (k8s.io/kube-scheduler framework/types.go, HostPortInfo)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

ALL_ADDRESSES: Final = "0.0.0.0"  # noqa: S104  Kubernetes' own default for an empty hostIP; nothing is bound here


class HostPort(NamedTuple):
    """A port that a pod takes on its node's own address."""

    protocol: str
    port: int
    address: str


def parse_host_ports(spec: Mapping[str, Any]) -> tuple[HostPort, ...]:
    """Return the host ports of the containers and of the sidecars; other init containers hold theirs only for a
    while.
    """
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    return tuple(
        HostPort(port.get("protocol") or "TCP", port["hostPort"], port.get("hostIP") or ALL_ADDRESSES)
        for container in (*sidecars, *(spec.get("containers") or ()))
        for port in container.get("ports") or ()
        if (port.get("hostPort") or 0) > 0
    )


class HostPortsInUse:
    """The host ports taken on all nodes, by port, so that asking for one looks only at the rows on which it is taken.

    Each is counted, so that a port freed by one pod stays taken while another holds it.
    """

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], dict[int, Counter[str]]] = {}
        """By protocol and port, then by row: how often it is taken on each address."""

    def take(self, row: int, ports: Iterable[HostPort]) -> None:
        """Count the ports of a pod that is placed on the row."""
        for port in ports:
            on_rows = self._taken.setdefault((port.protocol, port.port), {})
            on_rows.setdefault(row, Counter())[port.address] += 1

    def release(self, row: int, ports: Iterable[HostPort]) -> None:
        """Give back the ports of a pod that left the row."""
        for port in ports:
            on_rows = self._taken[port.protocol, port.port]
            addresses = on_rows[row]
            addresses[port.address] -= 1
            if not addresses[port.address]:
                del addresses[port.address]
            if not addresses:
                del on_rows[row]
            if not on_rows:
                del self._taken[port.protocol, port.port]

    def contested(self, row: int, held: Iterable[HostPort]) -> bool:
        """Tell whether any of the ports of a pod that is counted on the row conflicts with another pod's there."""
        for port in held:
            addresses = self._taken[port.protocol, port.port][row]
            if port.address == ALL_ADDRESSES:
                holders = addresses.total()
            else:
                holders = addresses[port.address] + addresses[ALL_ADDRESSES]
            if holders > 1:
                return True
        return False

    def conflicts(self, wanted: Iterable[HostPort]) -> Iterator[int]:
        """Yield the rows on which a wanted port is taken: on the same address, or on all addresses by either of the
        two. A row may come more than once.
        """
        for port in wanted:
            for row, addresses in self._taken.get((port.protocol, port.port), {}).items():
                if port.address == ALL_ADDRESSES or ALL_ADDRESSES in addresses or port.address in addresses:
                    yield row
