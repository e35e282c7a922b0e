import numpy as np
import pytest

from hydatis.sandbox.replaying.fill import Fill
from hydatis.sandbox.replaying.history import History
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of


@pytest.fixture
def history() -> History:
    return History(scenario_of(4, 4), workload_of(Pod(cpu=1950), Pod(cpu=975), Pod(cpu=100)), 3)


def test_spread_is_over_nodes_in_points_of_what_each_offers(history: History) -> None:
    fill = Fill(history)
    first, second = history.machines.names
    fill.place(0, first)
    fill.sample()
    fill.place(1, second)
    fill.sample()
    outcome = fill.outcome()
    # A node of 4 cores offers 3,900 millicores: 50 % and 25 % of it, then the same.
    assert outcome.cpu_spread_points == pytest.approx(12.5)
    assert outcome.mean_cpu_spread_points == pytest.approx(np.mean([25.0, 12.5]))
    assert outcome.cpu_requested_percent == pytest.approx(37.5)
    assert (outcome.bound, outcome.refused, outcome.waiting, outcome.nodes_used) == (2, 0, 0, 2)


def test_a_pod_that_goes_leaves_nothing_and_one_that_was_refused_waits_until_it_is_placed_or_goes(
    history: History,
) -> None:
    fill = Fill(history)
    first, _ = history.machines.names
    fill.place(0, first)
    fill.refuse(1)
    fill.refuse(2)
    assert fill.waiting == {1, 2}
    fill.place(1, first)
    fill.remove(2)
    fill.remove(0)
    fill.remove(1)
    outcome = fill.outcome()
    assert outcome.cpu_requested_percent == pytest.approx(0.0)
    assert (outcome.bound, outcome.refused, outcome.waiting, outcome.nodes_used) == (2, 2, 0, 0)
    assert fill.node_of(0) is None
