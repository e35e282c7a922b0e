"""How full the nodes are, step by step, counted from placements alone: the same for a real and a simulated cluster."""

from dataclasses import dataclass

import numpy as np

from hydatis.sandbox.replaying.history import History
from hydatis.scheduler.arrays import Float64Array


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a history. Nodes that no pod can use, because of a taint, do not count."""

    bound: int
    """Pods that were ever bound."""
    refused: int
    """Pods for which at some time no node was found."""
    waiting: int
    """Pods that wait at the end."""
    nodes_used: int
    """Nodes with at least one pod at the end."""
    cpu_requested_percent: float
    """Of what the nodes offer, at the end, all nodes together."""
    cpu_spread_points: float
    """Standard deviation over the nodes of the CPU requested of each, in percentage points, at the end."""
    memory_spread_points: float
    """The same of memory."""
    mean_cpu_spread_points: float
    """The same of CPU, averaged over all steps."""
    mean_memory_spread_points: float
    """The same of memory, averaged over all steps."""


class Fill:
    """Requests by node."""

    def __init__(self, history: History) -> None:
        workload, machines = history.workload, history.machines
        self._requests = np.stack([workload.cpu_millicores, workload.memory_mib])
        self._offers = np.stack([machines.cpu_millicores, machines.memory_mib])
        self._sums = np.zeros_like(self._offers)
        self._open = machines.untainted
        self._number_of = machines.number_of
        self._nodes: dict[int, int] = {}
        self._spreads: list[Float64Array] = []
        self._bound: set[int] = set()
        self._refused: set[int] = set()
        self._waiting: set[int] = set()

    @property
    def waiting(self) -> frozenset[int]:
        """Pods that wait for a node."""
        return frozenset(self._waiting)

    def node_of(self, pod: int) -> int | None:
        """Return the node a pod is on."""
        return self._nodes.get(pod)

    @property
    def placements(self) -> dict[int, int]:
        """Return pod to node, of the pods that are on one."""
        return dict(self._nodes)

    def place(self, pod: int, node: str) -> None:
        """Count a pod on a node."""
        number = self._number_of(node)
        self._nodes[pod] = number
        self._sums[:, number] += self._requests[:, pod]
        self._bound.add(pod)
        self._waiting.discard(pod)

    def refuse(self, pod: int) -> None:
        """Note that no node was found."""
        self._refused.add(pod)
        self._waiting.add(pod)

    def remove(self, pod: int) -> None:
        """Count a pod no longer, wherever it was."""
        self._waiting.discard(pod)
        number = self._nodes.pop(pod, None)
        if number is not None:
            self._sums[:, number] -= self._requests[:, pod]

    def sample(self) -> None:
        """Look at the nodes after a step."""
        self._spreads.append(self._spread())

    def outcome(self) -> Outcome:
        """Sum up."""
        cpu, memory = self._spread().tolist()
        means = np.mean(self._spreads, axis=0) if self._spreads else np.zeros(2)
        requested = float(100.0 * self._sums[0, self._open].sum() / self._offers[0, self._open].sum())
        return Outcome(
            bound=len(self._bound),
            refused=len(self._refused),
            waiting=len(self._waiting),
            nodes_used=len(set(self._nodes.values())),
            cpu_requested_percent=requested,
            cpu_spread_points=cpu,
            memory_spread_points=memory,
            mean_cpu_spread_points=float(means[0]),
            mean_memory_spread_points=float(means[1]),
        )

    def _spread(self) -> Float64Array:
        shares = 100.0 * self._sums[:, self._open] / self._offers[:, self._open]
        return np.asarray(shares.std(axis=1), dtype=np.float64)
