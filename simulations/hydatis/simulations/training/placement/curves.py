"""Learning curves: how good an agent is after so many decisions, in short runs on the validation part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hydatis.simulations.baselines.policies import PolicyMaker
from hydatis.simulations.training.placement.evaluating import MEASURES, agent_policies, baselines, play
from hydatis.simulations.virtual_time.pool import Source
from hydatis.simulations.virtual_time.scenario import Scenario

HOURS = 6.0
"""How long such a run is, one of them its warm-up."""
SEEDS = (101, 102, 103)
"""Of the workloads; none of those by which agents are judged."""
_AS_IT_IS = "as in training"


@dataclass(frozen=True, slots=True)
class Curve:
    """One agent's way."""

    agent: str
    steps: tuple[int, ...]
    values: tuple[float, ...]
    """Node-minutes above 80 % CPU in percent, mean over `SEEDS`."""


def curves_of(
    scenario: Scenario,
    source: Source,
    snapshots: Mapping[str, Mapping[int, bytes]],
    seeds: Sequence[int] = SEEDS,
    done: Callable[[str], None] = lambda told: None,
) -> tuple[list[Curve], dict[str, float]]:
    """Return the curve of each agent, given as ONNX by decisions so far, and the same measure of the baselines.

    Raises:
        SimulationError: a workload cannot be drawn, or a cluster would refuse a model.

    """
    short = replace(scenario, length_seconds=HOURS * 3600.0, warm_up_seconds=3600.0)

    def mean(policy: Mapping[str, PolicyMaker]) -> float:
        runs = play(short, source, policy, seeds, settings=(_AS_IT_IS,))
        return float(np.mean([run.measures[MEASURES[0]] for run in runs]))

    references = {name: mean({name: policy}) for name, policy in baselines().items()}
    found = []
    for agent, by_steps in snapshots.items():
        values = []
        for steps, data in sorted(by_steps.items()):
            values.append(mean({agent: agent_policies({agent: data})[agent]}))
            done(f"{agent} after {steps} decisions: {values[-1]:.2f} % of node-minutes above 80 % CPU")
        found.append(Curve(agent, tuple(sorted(by_steps)), tuple(values)))
    return found, references
