"""Metrics as a scheduler gets them: means over a window, late, and with gaps.

Called by the run at each step and each scrape. Which nodes' metrics are missing when is drawn at each scrape from a
generator of its own, the same for every policy.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array
from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.scenario import Assumptions

_BYTES_PER_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape of all nodes brought; nodes and pods that are missing are left out."""

    sampled_at: float
    """End of the window."""
    nodes: Int64Array
    node_cpu_millicores: Float64Array
    node_memory_bytes: Float64Array
    pods: Int64Array
    pod_cpu_millicores: Float64Array
    pod_memory_bytes: Float64Array


class Scraping:
    """Keeps what was used during the last window."""

    def __init__(self, nodes: int, assumptions: Assumptions, random: np.random.Generator) -> None:
        self._assumptions = assumptions
        self._random = random
        self._window = round(assumptions.window_seconds / assumptions.step_seconds)
        self._position = 0
        self._node_cpu = np.zeros((self._window, nodes))
        self._node_memory = np.zeros((self._window, nodes))
        self._node_steps: Int64Array = np.zeros(nodes, dtype=np.int64)
        self._pod_cpu = np.zeros((self._window, 0))
        self._pod_memory = np.zeros((self._window, 0))
        self._missing: BoolArray = random.random(nodes) < assumptions.missing_share

    def note(self, running: RunningPods, here: BoolArray) -> None:
        """Note what is used from this step to the next; `here` says which nodes work."""
        if len(running.pod) > self._pod_cpu.shape[1]:
            wider = ((0, 0), (0, len(running.pod) - self._pod_cpu.shape[1]))
            self._pod_cpu, self._pod_memory = np.pad(self._pod_cpu, wider), np.pad(self._pod_memory, wider)
        row, top = self._position % self._window, running.top
        self._position += 1
        self._pod_cpu[row, :top] = running.cpu_given[:top]
        self._pod_memory[row, :top] = running.memory_used[:top]
        self._node_cpu[row] = running.by_node(running.cpu_given)
        self._node_memory[row] = running.by_node(running.memory_used)
        self._node_steps = np.where(here, self._node_steps + 1, 0)

    def scrape(self, now: float, running: RunningPods, *, with_pods: bool = True) -> Scrape:
        """Return the means over the window that ends now; of what has not been there so long, since it came.

        Without pods there are just the nodes'.
        """
        present = ~self._missing
        nodes = np.flatnonzero(present & (self._node_steps > 0))
        steps = np.minimum(self._node_steps[nodes], self._window)
        top = running.top
        seen = running.taken[:top] & (running.steps[:top] > 0) & present[running.node[:top]] & with_pods
        slots = np.flatnonzero(seen)
        pod_steps = np.minimum(running.steps[slots], self._window)
        scraped = Scrape(
            sampled_at=now,
            nodes=nodes,
            node_cpu_millicores=self._mean(self._node_cpu, nodes, steps),
            node_memory_bytes=self._mean(self._node_memory, nodes, steps) * _BYTES_PER_MIB,
            pods=running.pod[slots],
            pod_cpu_millicores=self._mean(self._pod_cpu, slots, pod_steps),
            pod_memory_bytes=self._mean(self._pod_memory, slots, pod_steps) * _BYTES_PER_MIB,
        )
        self._draw_missing()
        return scraped

    def _mean(self, history: Float64Array, columns: Int64Array, steps: Int64Array) -> Float64Array:
        """Mean over each column's last steps, one step after the other: the same sums on every machine."""
        total = np.zeros(len(columns))
        for back in range(min(self._window, self._position)):
            values = history[(self._position - 1 - back) % self._window, columns]
            total += np.where(back < steps, values, 0.0)
        return total / steps

    def _draw_missing(self) -> None:
        """Begin and end spells of missing metrics (a Markov chain with the share and the length that are assumed)."""
        share = self._assumptions.missing_share
        ends = self._assumptions.scrape_seconds / self._assumptions.missing_spell_seconds
        begins = min(1.0, ends * share / (1.0 - share))
        drawn = self._random.random(len(self._missing))
        self._missing = np.where(self._missing, drawn >= ends, drawn < begins)
