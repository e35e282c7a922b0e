"""What the agent remembers: its decisions, with what each node's overload cost from one to the next.

A sample is a decision, what the nodes cost until some decisions later, discounted by the time that passed, and what
they looked like then.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from stable_baselines3.common.buffers import DictReplayBuffer

from hydatis.simulations.environment.placement import rows_of


class Transitions(NamedTuple):
    """A batch of samples."""

    rows: torch.Tensor
    """(batch, nodes, columns)"""
    actions: torch.Tensor
    """(batch,)"""
    costs: torch.Tensor
    """(batch, nodes) discounted, until the later decision."""
    later_rows: torch.Tensor
    """(batch, nodes, columns)"""
    discounts: torch.Tensor
    """(batch,) of what comes after the later decision."""


class PlacementReplay(DictReplayBuffer):
    """A buffer for one environment, whose infos have `overload`."""

    def __init__(self, *args: Any, discount_hours: float, decisions: int, **more: Any) -> None:
        """`discount_hours`: a cost so much later counts 1/e; `decisions`: how many a sample spans."""
        super().__init__(*args, **more)
        self._discount_hours = discount_hours
        self._decisions = decisions
        self.overload = np.zeros((self.buffer_size, self.action_space.n), dtype=np.float32)
        """(decisions, nodes) what each node's overload cost until the next decision."""

    def add(  # noqa: PLR0917 - as its base class has it
        self,
        obs: dict[str, Any],
        next_obs: dict[str, Any],
        action: Any,
        reward: Any,
        done: Any,
        infos: list[dict[str, Any]],
    ) -> None:
        """Remember a decision."""
        self.overload[self.pos] = infos[0]["overload"]
        super().add(obs, next_obs, action, reward, done, infos)

    def sample(self, batch_size: int, env: Any = None) -> Transitions:
        """Draw samples; none spans the end of an episode, after which nothing is known.

        Raises ValueError when no sample can be drawn so far.
        """
        starts = self._starts()
        if not len(starts):
            raise ValueError(f"no episode has {self._decisions} decisions so far")
        first = np.random.choice(starts, batch_size)
        spans = (first[:, None] + np.arange(self._decisions)) % self.buffer_size
        elapsed = np.cumsum(self.next_observations["hours"][spans, 0, 0], axis=1)
        before = np.concatenate([np.zeros((batch_size, 1)), elapsed[:, :-1]], axis=1)
        weights = np.exp(-before / self._discount_hours)
        costs = np.einsum("bd,bdn->bn", weights, self.overload[spans])
        return Transitions(
            self.to_torch(rows_of(self.observations["nodes"][first, 0])),
            self.to_torch(self.actions[first, 0, 0]),
            self.to_torch(costs.astype(np.float32)),
            self.to_torch(rows_of(self.next_observations["nodes"][spans[:, -1], 0])),
            self.to_torch(np.exp(-elapsed[:, -1] / self._discount_hours).astype(np.float32)),
        )

    def _starts(self) -> Any:
        """Return the positions from which a sample can be drawn."""
        count = self.buffer_size if self.full else self.pos
        order = (np.arange(count) + (self.pos if self.full else 0)) % self.buffer_size
        ended = np.concatenate([[0], np.cumsum(self.dones[order, 0])])
        whole = ended[self._decisions :] == ended[: len(ended) - self._decisions]
        return order[: len(whole)][whole]
