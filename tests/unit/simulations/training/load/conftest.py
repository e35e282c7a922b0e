from collections.abc import Callable

import pytest

from hydatis.simulations.sweeps.assuming import assuming
from hydatis.simulations.training.load.gathering import gather
from hydatis.simulations.training.load.hindsight import Answered
from hydatis.simulations.training.load.judging import Judge
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.sources import open_source


@pytest.fixture(scope="session")
def gathered() -> Callable[[int], Answered]:
    """Answers of six hours of made-up pods, by seed."""

    def of(seed: int) -> Answered:
        scenario = assuming(scenario_named("six"), {"part": "training", "length_seconds": "21600"})
        workload = draw_workload(scenario, open_source({}), seed)
        return gather(scenario, workload, Judge(), seed, questions=400)

    return of


@pytest.fixture(scope="session")
def answers(gathered: Callable[[int], Answered]) -> Answered:
    return gathered(1)
