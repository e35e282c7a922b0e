"""What a node's overload is going to cost, by its row of features: the function of one node that is learnt.

The agent's Q is put together of two of them. Both answer the power of ten of a cost, since costs span many of them, and
both begin as the closed form's judgement (`ExpectedOverload`), of which they learn how much to keep.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn

from hydatis.simulations.environment.observing import COLUMNS

LEAST, MOST = -14.0, 3.0
"""Powers of ten of costs are cut here."""
LEAST_LOGGED = 1e-6
"""Features whose power of ten is read are cut here."""
MOST_DEVIATIONS = 5.0
"""Standardised features are cut here, so that nodes unlike all seen in training are taken for the nearest."""
HIDDEN = (32, 32)

_NODE = (
    "cpu_utilization",
    "cpu_utilization_15m",
    "cpu_deviation_15m",
    "cpu_peak_1h",
    "cpu_peak_24h",
    "cpu_expected",
    "cpu_expected_deviation",
    "cpu_requested",
    "memory_utilization",
    "memory_requested",
    "measured",
    "cluster_cpu_utilization",
)
_POD = (
    "owner_use",
    "owner_shared",
    "owner_observations",
    "like_requested",
    "cpu_after",
    "cpu_expected_after",
    "overload_added",
)
_POD_LOGGED = ("pod_cpu_request", "pod_cpu_expected", "pod_cpu_deviation", "pod_memory_expected")
_THRESHOLD, _UNKNOWN_DEVIATION, _SWING = 0.6, 0.05, 0.3
"""As `ExpectedOverload` has them."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Which columns are read, by name: shares of the node alone, so that nodes of any size look alike."""

    plain: tuple[str, ...]
    logged: tuple[str, ...] = ()
    """Of these the power of ten is read."""


OF_NODE = Reads(_NODE)
OF_PLACEMENT = Reads((*_NODE, *_POD), _POD_LOGGED)


def columns_of(names: Sequence[str]) -> list[int]:
    """Return where these stand in the environment's rows. Raises ValueError when there is none of a name."""
    all_names = [column.name for column in COLUMNS]
    return [all_names.index(name) for name in names]


class NodeCost(nn.Module):
    """`weight` times what the closed form says, plus a small network's correction."""

    def __init__(self, reads: Reads, *, from_closed_form: bool) -> None:
        super().__init__()
        self.reads = reads
        self.register_buffer("plain", torch.tensor(columns_of(reads.plain)))
        self.register_buffer("logged", torch.tensor(columns_of(reads.logged), dtype=torch.long))
        width = len(reads.plain) + len(reads.logged)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        sizes = (width, *HIDDEN)
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])
        self.last = nn.Linear(HIDDEN[-1], 1)
        self.weight = nn.Parameter(torch.tensor(1.0 if from_closed_form else 0.0))
        if from_closed_form:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)
        else:
            # Somewhere in the middle of what costs are.
            nn.init.constant_(self.last.bias, -2.0)

    def standardise(self, rows: torch.Tensor) -> None:
        """Take the scales of the features from rows, (n, columns)."""
        read = self._read(rows)
        self.mean.copy_(read.mean(dim=0))
        self.deviation.copy_(read.std(dim=0).clamp(min=1e-3))

    def forward(self, rows: torch.Tensor, closed_form: torch.Tensor) -> torch.Tensor:
        """Return the power of ten of the cost: (..., columns) and (...,) to (...,)."""
        standard = (self._read(rows) - self.mean) / self.deviation
        found = standard.clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
        for layer in self.hidden:
            found = torch.tanh(layer(found))
        found = self.last(found).squeeze(-1)
        return (self.weight * closed_form + found).clamp(LEAST, MOST)

    def _read(self, rows: torch.Tensor) -> torch.Tensor:
        logged = rows[..., self.logged].clamp(min=LEAST_LOGGED).log10()
        return torch.cat([rows[..., self.plain], logged], dim=-1)


_SHARES = columns_of(("cpu_utilization", "cpu_expected", "cpu_expected_deviation"))
_ADDED = columns_of(("overload_added",))[0]


def overload_expected(rows: torch.Tensor) -> torch.Tensor:
    """Return the power of ten of the closed form's E[max(0, u - t)^2] of CPU as each node is, (..., columns) to
    (...,).
    """
    use, expected, deviation = (rows[..., column] for column in _SHARES)
    variance = _SWING * deviation**2 + _UNKNOWN_DEVIATION**2
    distance, spread = 0.5 * (use + expected) - _THRESHOLD, variance.sqrt()
    z = distance / spread
    above = 0.5 * torch.erfc(-z / math.sqrt(2.0))
    density = torch.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)
    excess = (distance * distance + variance) * above + distance * spread * density
    return excess.clamp(min=1e-12).log10()


def overload_added(rows: torch.Tensor) -> torch.Tensor:
    """Return the power of ten of what the closed form finds that the pod adds, (..., columns) to (...,)."""
    return rows[..., _ADDED]
