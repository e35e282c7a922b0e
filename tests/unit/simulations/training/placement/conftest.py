"""Rows of nodes as the environment has them, drawn at random."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch", reason="PyTorch is installed by `make training`")
pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is installed by `make training`")
pytest.importorskip("gymnasium", reason="the environment needs the extra `simulations`")

from gymnasium import spaces  # noqa: E402

from hydatis.simulations.environment.observing import COLUMNS, FEASIBLE, KNOWN  # noqa: E402
from hydatis.simulations.training.placement.policy import PlacementQNetwork  # noqa: E402

Draw = Callable[..., Any]


@pytest.fixture
def draw_rows() -> Draw:
    """(batch, nodes, columns) of nodes that exist and can be chosen."""

    def draw(batch: int, nodes: int, seed: int = 1) -> Any:
        random = np.random.default_rng(seed)
        low, high = (np.array([getattr(column, end) for column in COLUMNS]) for end in ("low", "high"))
        # Most bounds are far away from what is usual.
        rows = random.uniform(np.maximum(low, -8.0), np.minimum(high, 2.0), (batch, nodes, len(COLUMNS)))
        rows[..., [KNOWN, FEASIBLE]] = 1.0
        return torch.tensor(rows, dtype=torch.float32)

    return draw


@pytest.fixture
def make_network() -> Draw:
    """A Q-network for so many nodes, with weights drawn at random as if it had learnt."""

    def make(nodes: int, *, from_closed_form: bool = True, learnt: bool = True) -> Any:
        torch.manual_seed(1)
        observations = spaces.Dict({"nodes": spaces.Box(-1.0, 1.0, (nodes * len(COLUMNS),))})
        network = PlacementQNetwork(observations, spaces.Discrete(nodes), scale=20.0, from_closed_form=from_closed_form)
        if learnt:
            for part in (network.cost, network.added):
                torch.nn.init.normal_(part.last.weight, std=0.3)
        return network

    return make
