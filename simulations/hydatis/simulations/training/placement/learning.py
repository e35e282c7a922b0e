"""Training: an agent, a seed, and workloads of the training part, one shorter than a day after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import torch
from stable_baselines3.common.callbacks import BaseCallback

from hydatis.simulations.environment import NAME
from hydatis.simulations.environment.rewarding import RewardWeights
from hydatis.simulations.training.placement.agent import PlacementAgent
from hydatis.simulations.training.placement.policy import PlacementPolicy
from hydatis.simulations.training.placement.replay import PlacementReplay


@dataclass(frozen=True, slots=True)
class Lesson:
    """How an agent is trained. The defaults are for scenarios of some dozens of nodes."""

    scenario: str = "study"
    steps: int = 40_000
    """Decisions."""
    assumptions: Mapping[str, str] = field(default_factory=lambda: {"length_seconds": "21600", "warm_up_seconds": "0"})
    """Short episodes, so that there are more workloads."""
    from_closed_form: bool = True
    """Whether it begins with the closed form's judgement, or knows nothing."""
    discount_hours: float = 2.0
    """Costs so much later count 1/e."""
    decisions: int = 64
    """How many a sample of the replay spans."""
    learning_rate: float = 1e-3
    """Falls to 0 over the training."""
    batch_size: int = 64
    learning_starts: int = 1500
    train_freq: int = 4
    """Decisions for each step of the optimiser."""
    tau: float = 0.02
    """By how much the target network follows with each of these."""
    exploration: tuple[float, float] = (0.3, 0.05)
    """Share of choices by chance, at the beginning and from a third of the training on."""
    remembered: int = 60_000
    """Decisions in the replay; one takes 10 kB with 40 nodes."""


Snapshot = Callable[[int, PlacementAgent], None]
"""Told of the decisions so far, and the agent."""


def learn(lesson: Lesson, seed: int, every: int = 0, snapshot: Snapshot = lambda steps, agent: None) -> PlacementAgent:
    """Train an agent; `snapshot` is called before the first and after every `every` decisions, if that is
    not 0.

    Raises:
        SimulationError: there is no such scenario, or no workload can be drawn.
        TraceError: HYDATIS_DATA is set and the traces cannot be read.

    """
    env = gymnasium.make(NAME, scenario=lesson.scenario, assumptions=lesson.assumptions)
    agent = agent_in(env, lesson, seed)
    if every:
        snapshot(0, agent)
    agent.learn(lesson.steps, callback=_Every(every, snapshot))
    return agent


def agent_in(env: Any, lesson: Lesson, seed: int) -> PlacementAgent:
    """Return an agent that has learnt nothing so far, for an environment `Hydatis/Placement-v0`."""
    # The networks are so small that a second thread costs more than it brings, and sums stay in one order.
    torch.set_num_threads(1)
    agent = PlacementAgent(
        PlacementPolicy,
        env,
        learning_rate=lambda left: lesson.learning_rate * left,
        buffer_size=min(lesson.steps, lesson.remembered),
        learning_starts=min(lesson.learning_starts, lesson.steps // 2),
        batch_size=lesson.batch_size,
        tau=lesson.tau,
        train_freq=lesson.train_freq,
        target_update_interval=lesson.train_freq,
        exploration_initial_eps=lesson.exploration[0],
        exploration_final_eps=lesson.exploration[1],
        exploration_fraction=1 / 3,
        replay_buffer_class=PlacementReplay,
        replay_buffer_kwargs={"discount_hours": lesson.discount_hours, "decisions": lesson.decisions},
        policy_kwargs={
            # The longer costs count, the more they are in sum.
            "scale": RewardWeights().efficiency * lesson.discount_hours,
            "from_closed_form": lesson.from_closed_form,
        },
        seed=seed,
        device="cpu",
    )
    agent.exploration_rate = lesson.exploration[0]
    return agent


class _Every(BaseCallback):
    def __init__(self, every: int, snapshot: Snapshot) -> None:
        super().__init__()
        self._every = every
        self._snapshot = snapshot

    def _on_step(self) -> bool:
        if self._every and self.num_timesteps % self._every == 0:
            self._snapshot(self.num_timesteps, self.model)
        return True


def weights_of(agent: PlacementAgent) -> dict[str, Any]:
    """Return the network's parameters, to be kept while the agent learns on."""
    return {name: value.clone() for name, value in agent.q_net.state_dict().items()}
