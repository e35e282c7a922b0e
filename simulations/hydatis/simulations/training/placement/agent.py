"""The agent: Stable-Baselines3's DQN, with a target for every node, and choices among feasible nodes alone.

Overload costs by node, and a choice changes it on one of them. So Q is a sum over nodes, and each node's part is learnt
from what that node cost (Russell and Zimdars, "Q-Decomposition for Reinforcement Learning Agents", ICML 2003): what
happens on the others is no noise to it. The later choice, by which all parts go on, is the whole's: that of the network
itself, valued by its target (van Hasselt, Guez and Silver, "Deep Reinforcement Learning with Double Q-learning", 2016).
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import DQN
from torch.nn import functional

from hydatis.simulations.environment.observing import FEASIBLE, KNOWN
from hydatis.simulations.environment.placement import rows_of


class PlacementAgent(DQN):
    """Made with `PlacementPolicy` and `PlacementReplay`, for one environment."""

    def train(self, gradient_steps: int, batch_size: int = 100) -> None:
        """Make so many steps on samples of what is remembered."""
        if not self._n_updates:
            self._standardise()
        self._update_learning_rate(self.policy.optimizer)
        for _ in range(gradient_steps):
            drawn = self.replay_buffer.sample(batch_size)
            chosen = functional.one_hot(drawn.actions.long(), drawn.rows.shape[1])
            with torch.no_grad():
                later = functional.one_hot(self.q_net.choices(drawn.later_rows), drawn.rows.shape[1])
                values = self._costs(self.q_net_target, drawn.later_rows, later)
                targets = drawn.costs + drawn.discounts[:, None] * values
            costs = self._costs(self.q_net, drawn.rows, chosen)
            both = drawn.rows[..., KNOWN] * drawn.later_rows[..., KNOWN]
            loss = (functional.smooth_l1_loss(costs, targets, reduction="none") * both).sum(dim=1).mean()
            self.policy.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
        self._n_updates += gradient_steps

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """Return the node with the highest Q, or, while exploring, any to which the pod can go."""
        if deterministic or np.random.rand() >= self.exploration_rate:
            chosen, state = self.policy.predict(observation, state, episode_start, deterministic)
            return chosen, state
        feasible = rows_of(np.asarray(observation["nodes"]))[..., FEASIBLE] > 0
        return np.where(feasible, np.random.rand(*feasible.shape), -1.0).argmax(axis=-1), state

    def _sample_action(self, learning_starts: int, action_noise: Any = None, n_envs: int = 1) -> tuple[Any, Any]:
        # Not any action of the space, also before learning starts.
        chosen, _ = self.predict(self._last_obs, deterministic=False)
        return chosen, chosen

    def _costs(self, network: Any, rows: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """(batch, nodes) each node's part of minus Q."""
        return network.node_costs(rows) + chosen * network.added_costs(rows)

    def _standardise(self) -> None:
        """Take the scales of features from what was seen so far."""
        replay = self.replay_buffer
        rows = replay.to_torch(rows_of(replay.observations["nodes"][: replay.pos, 0]))
        feasible = rows[rows[..., FEASIBLE] > 0]
        for network in (self.q_net, self.q_net_target):
            network.cost.standardise(feasible)
            network.added.standardise(feasible)
