"""The agent learns by node, explores among feasible nodes alone, and learns the same from the same seed."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from hydatis.simulations.environment import NAME
from hydatis.simulations.training.placement.agent import PlacementAgent
from hydatis.simulations.training.placement.learning import Lesson, agent_in, learn, weights_of

SHORT = Lesson(
    scenario="six",
    steps=120,
    assumptions={"length_seconds": "3600", "warm_up_seconds": "0", "cpu_use_percent": "120"},
    decisions=8,
    learning_starts=40,
)


pytestmark = pytest.mark.usefixtures("made_up_traces")


class _Counting(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Counts choices of nodes to which the pod cannot go."""

    infeasible = 0
    choices = 0

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        found = super().step(action)
        self.choices += 1
        self.infeasible += found[4]["terms"]["infeasible"] < 0
        return found


def test_no_choice_in_training_or_after_is_infeasible() -> None:
    env = _Counting(gymnasium.make(NAME, scenario=SHORT.scenario, assumptions=SHORT.assumptions))
    # At first it explores with every choice.
    agent = agent_in(env, replace(SHORT, exploration=(1.0, 0.1)), 3)
    agent.learn(SHORT.steps)
    observation, _ = env.reset(seed=9)
    for _ in range(20):
        chosen, _ = agent.predict(observation, deterministic=True)
        observation, *_ = env.step(chosen)
    assert env.choices >= SHORT.steps
    assert env.infeasible == 0


def test_the_same_seed_learns_the_same_and_another_seed_something_else() -> None:
    steps = replace(SHORT, steps=80)
    first, again, other = (weights_of(learn(steps, seed)) for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["added.last.weight"], other["added.last.weight"])
    assert first["added.last.weight"].abs().max() > 0


def test_what_a_node_costs_is_learnt_from_that_node(draw_rows: Any) -> None:
    """Nodes with much memory in use cost 2 an hour, others nothing, whatever the closed form says."""
    lesson = replace(SHORT, learning_rate=1e-2, discount_hours=1.0, decisions=1, from_closed_form=False)
    agent = agent_in(gymnasium.make(NAME, scenario="six", assumptions=SHORT.assumptions), lesson, 1)
    rows = draw_rows(200, 6)
    column = agent.q_net.cost.reads.plain.index("memory_utilization")
    dear = agent.q_net.cost._read(rows)[..., column] > 1.0
    for number in range(len(rows)):
        seen = {"nodes": rows[number : number + 1].flatten(1).numpy(), "hours": np.ones((1, 1))}
        info = {"overload": 2.0 * dear[number].numpy()}
        agent.replay_buffer.add(seen, seen, np.array([number % 6]), np.zeros(1), np.zeros(1, dtype=bool), [info])
    _train(agent, 400)
    with torch.no_grad():
        costs = agent.q_net.node_costs(rows)
    # An hour in the state that it is in counts 1, all later ones as much as a geometric series of 1/e.
    assert costs[dear].mean() == pytest.approx(2.0 / (1.0 - np.exp(-1.0)), rel=0.3)
    assert costs[~dear].mean() < 0.3


def _train(agent: PlacementAgent, steps: int) -> None:
    from stable_baselines3.common.logger import configure  # noqa: PLC0415
    from stable_baselines3.common.utils import polyak_update  # noqa: PLC0415

    agent.set_logger(configure(None, []))
    for _ in range(steps):
        agent.train(1, 32)
        polyak_update(agent.q_net.parameters(), agent.q_net_target.parameters(), 0.05)
