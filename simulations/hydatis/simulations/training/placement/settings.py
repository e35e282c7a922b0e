"""The clusters on which an agent is judged, beside the scenario on which it was trained."""

from collections.abc import Callable
from dataclasses import replace

from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.virtual_time.scenario import NodeGroup, Scenario

FACTOR = 4
"""How many times the nodes of training."""


def as_it_is(scenario: Scenario) -> Scenario:
    """Return the scenario."""
    return scenario


def with_more_nodes(scenario: Scenario) -> Scenario:
    """Return it with four times its nodes and owners, and so the pods for them."""
    nodes = tuple(NodeGroup(group.shape, FACTOR * group.count) for group in scenario.nodes)
    demand = replace(scenario.demand, owners=FACTOR * scenario.demand.owners)
    return replace(scenario, name=f"{scenario.name}-times-{FACTOR}", nodes=nodes, demand=demand)


def with_other_shapes(scenario: Scenario) -> Scenario:
    """Return it with the smaller kinds of nodes smaller by a quarter, the others larger by half, and all with half as
    much memory again for each core.
    """
    middle = len(scenario.nodes) // 2
    factors = [0.75 if number < middle else 1.5 for number in range(len(scenario.nodes))]
    nodes = tuple(
        NodeGroup(_resized(group.shape, factor), group.count)
        for group, factor in zip(scenario.nodes, factors, strict=True)
    )
    return replace(scenario, name=f"{scenario.name}-other-shapes", nodes=nodes)


def _resized(shape: NodeShape, factor: float) -> NodeShape:
    cores = round(factor * shape.cpu_cores)
    gib_a_core = 1.5 * shape.memory_gib / shape.cpu_cores
    return replace(shape, name=f"{shape.name}-as-{cores}", cpu_cores=cores, memory_gib=round(gib_a_core * cores))


SETTINGS: dict[str, Callable[[Scenario], Scenario]] = {
    "as in training": as_it_is,
    "four times the nodes": with_more_nodes,
    "other shapes": with_other_shapes,
}
