"""The Q-network and policy that Stable-Baselines3 runs: the same small networks for every node, so that the order and
number of nodes do not matter, and no node is chosen to which the pod cannot go.
"""

from typing import Any

import torch
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.dqn.policies import DQNPolicy

from hydatis.simulations.environment.observing import COLUMNS, FEASIBLE, KNOWN
from hydatis.simulations.training.placement.network import (
    OF_NODE,
    OF_PLACEMENT,
    NodeCost,
    overload_added,
    overload_expected,
)

INFEASIBLE = -1e9
"""Q of a node to which the pod cannot go."""


class PlacementQNetwork(BasePolicy):
    """Q(s, a) = -(sum over nodes n of cost(n) + added(a)): what the overload of the nodes as they are is going to cost,
    and what the pod adds to that on the chosen node, discounted.

    `cost` begins as a potential: the closed form's overload, times the horizon. Beginning with a value is the same as
    shaping rewards by it (Wiewiora, "Potential-based shaping and Q-value initialization are equivalent", JAIR 2003), so
    that a choice is paid for at once, and the best policy stays the same (Ng, Harada and Russell 1999).
    """

    def __init__(
        self, observation_space: Any, action_space: Any, *, scale: float, from_closed_form: bool = True
    ) -> None:
        super().__init__(observation_space, action_space, normalize_images=False)
        self.scale = scale
        """What a cost of 10^0 is in rewards."""
        self.cost = NodeCost(OF_NODE, from_closed_form=from_closed_form)
        self.added = NodeCost(OF_PLACEMENT, from_closed_form=from_closed_form)

    def rows(self, nodes: torch.Tensor) -> torch.Tensor:
        """(batch, nodes x columns) to (batch, nodes, columns)."""
        return nodes.reshape(len(nodes), -1, len(COLUMNS))

    def node_costs(self, rows: torch.Tensor) -> torch.Tensor:
        """(..., columns) to (...,): what the node is going to cost as it is; 0 where it does not exist."""
        return rows[..., KNOWN] * self.scale * 10.0 ** self.cost(rows, overload_expected(rows))

    def added_costs(self, rows: torch.Tensor) -> torch.Tensor:
        """(..., columns) to (...,): what it costs more with the pod."""
        return self.scale * 10.0 ** self.added(rows, overload_added(rows))

    def choices(self, rows: torch.Tensor) -> torch.Tensor:
        """(batch, nodes, columns) to (batch,): the node with the highest Q."""
        dear = self.added_costs(rows).masked_fill(rows[..., FEASIBLE] < 1.0, -INFEASIBLE)
        return dear.argmin(dim=1)

    def forward(self, obs: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return Q, (batch, nodes)."""
        rows = self.rows(obs["nodes"])
        values = -(self.node_costs(rows).sum(dim=1, keepdim=True) + self.added_costs(rows))
        return values.masked_fill(rows[..., FEASIBLE] < 1.0, INFEASIBLE)

    def _predict(self, observation: dict[str, torch.Tensor], deterministic: bool = True) -> torch.Tensor:
        # Not by Q itself: beside the sum over all nodes the least differences would be lost in rounding.
        return self.choices(self.rows(observation["nodes"]))


class PlacementPolicy(DQNPolicy):
    """The Q-network and its target. `scale` and `from_closed_form` come in `policy_kwargs`."""

    def __init__(self, *args: Any, scale: float, from_closed_form: bool = True, **more: Any) -> None:
        self._network: dict[str, Any] = {"scale": scale, "from_closed_form": from_closed_form}
        super().__init__(*args, **more)

    def make_q_net(self) -> PlacementQNetwork:
        """Make the network, or its target."""
        network = PlacementQNetwork(self.observation_space, self.action_space, **self._network)
        network.to(self.device)
        return network

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = {**super()._get_constructor_parameters(), **self._network}
        return parameters
