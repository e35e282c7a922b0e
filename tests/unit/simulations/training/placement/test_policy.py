"""The Q-network looks at each node by itself, begins as the closed form, and heeds the mask."""

from typing import Any

import pytest
import torch

from hydatis.simulations.environment.observing import FEASIBLE, KNOWN
from hydatis.simulations.training.placement.network import columns_of
from hydatis.simulations.training.placement.policy import INFEASIBLE


def values(network: Any, rows: Any) -> Any:
    return network({"nodes": rows.flatten(1)}).detach()


def test_nodes_in_another_order_get_the_same_values_in_that_order(draw_rows: Any, make_network: Any) -> None:
    network, rows = make_network(7), draw_rows(3, 7)
    order = torch.tensor([4, 0, 6, 2, 1, 5, 3])
    assert torch.allclose(values(network, rows)[:, order], values(network, rows[:, order]), rtol=1e-5)


def test_it_ranks_any_number_of_nodes(draw_rows: Any, make_network: Any) -> None:
    network, rows = make_network(7), draw_rows(2, 28)
    few, many = network.added_costs(rows[:, :7]), network.added_costs(rows)
    assert torch.allclose(few, many[:, :7])
    assert network.choices(rows).shape == (2,)


def test_it_begins_with_the_closed_forms_ranking(draw_rows: Any, make_network: Any) -> None:
    rows = draw_rows(20, 9)
    added = rows[..., columns_of(["overload_added"])[0]]
    assert (make_network(9, learnt=False).choices(rows) == added.argmin(dim=1)).all()
    from_nothing = make_network(9, from_closed_form=False, learnt=False).choices(rows)
    assert (from_nothing == added.argmin(dim=1)).float().mean() < 0.5


@pytest.mark.parametrize("feasible", [[1], [0, 3, 5]])
def test_a_node_to_which_the_pod_cannot_go_is_never_chosen(
    feasible: list[int], draw_rows: Any, make_network: Any
) -> None:
    network, rows = make_network(6), draw_rows(50, 6)
    rows[..., FEASIBLE] = 0.0
    rows[:, feasible, FEASIBLE] = 1.0
    chosen = network._predict({"nodes": rows.flatten(1)})
    assert set(chosen.tolist()) <= set(feasible)
    found = values(network, rows)
    others = [node for node in range(6) if node not in feasible]
    assert (found[:, others] == INFEASIBLE).all()
    assert (found[:, feasible] > INFEASIBLE).all()


def test_a_node_that_does_not_exist_costs_nothing(draw_rows: Any, make_network: Any) -> None:
    network, rows = make_network(4), draw_rows(1, 4)
    rows[:, 2, KNOWN] = 0.0
    costs = network.node_costs(rows)
    assert costs[0, 2] == 0
    assert (costs[0, [0, 1, 3]] > 0).all()
