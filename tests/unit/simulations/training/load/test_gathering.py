from collections.abc import Callable

import numpy as np

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.simulations.training.load.hindsight import Answered


def test_every_question_has_a_row_for_each_node_that_was_open(answers: Answered) -> None:
    rows = np.bincount(answers.question)
    # Three nodes of the six are the control plane's.
    assert rows.max() == 3
    assert rows.min() >= 1
    assert answers.features.shape == (len(answers.added), PLACEMENT_SCHEMA.width)
    assert len(rows) > 50


def test_the_rows_of_a_question_differ_in_the_node_and_not_in_the_pod(answers: Answered) -> None:
    request = answers.features[:, PLACEMENT_SCHEMA.index("owner_use")]
    used = answers.features[:, PLACEMENT_SCHEMA.index("cpu_utilization")]
    for question in range(int(answers.question.max()) + 1):
        rows = answers.question == question
        assert np.ptp(request[rows]) == 0.0
    assert np.ptp(used) > 0.1


def test_more_is_added_to_nodes_that_use_more_already(answers: Answered) -> None:
    used = answers.features[:, PLACEMENT_SCHEMA.index("cpu_utilization")]
    busy = used > np.median(used)
    assert answers.added[busy].mean() > answers.added[~busy].mean()


def test_the_same_seed_gives_the_same_answers(gathered: Callable[[int], Answered], answers: Answered) -> None:
    again = gathered(1)
    assert again.features.tobytes() == answers.features.tobytes()
    assert again.added.tobytes() == answers.added.tobytes()
    assert gathered(2).added.tobytes() != answers.added.tobytes()
