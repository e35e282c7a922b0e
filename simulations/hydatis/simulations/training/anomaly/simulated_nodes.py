"""What the operator sees of nodes, as a simulated cluster has it: rows of `NODE_SCHEMA` of days to train on.

Nobody has labelled these: a row is taken to be as usual as it is frequent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.features.columns import NODE_SCHEMA
from hydatis.scheduler.features.placement import placement_features
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.requirements import Requirements
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.one_run import profile_of
from hydatis.simulations.traces.forms import Float32Array
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.drawing import draw_workload
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.scenario import Part
from hydatis.simulations.virtual_time.sources import open_source

SCENARIOS = ("study-light", "study-full", "study-overloaded")
"""40 nodes of four sizes, with half, most, and more than all of them asked for."""
POLICY = "ExpectedOverload"
"""Places the pods: the closed form, which the anomaly scores stand beside."""
HOURS = 8.0
"""Of each; the first two are not looked at."""
_EVERY_SECONDS = 300.0
_NOBODY = Owner("", "", "")


def node_rows(
    environment: Mapping[str, str],
    seed: int,
    *,
    scenarios: Sequence[str] = SCENARIOS,
    hours: float = HOURS,
) -> Float32Array:
    """Return (rows, features of `NODE_SCHEMA`): every node each five minutes of every scenario.

    The workloads are drawn from the training part of the traces that `environment` names, made up without.

    Raises:
        SimulationError: there is no such scenario, it has no time after its warm-up, or no workload can be drawn.
        TraceError: the traces cannot be read.

    """
    source = open_source(environment)
    found = []
    for name in scenarios:
        scenario = replace(scenario_named(name), part=Part.TRAINING, length_seconds=3600.0 * hours)
        if scenario.length_seconds <= scenario.warm_up_seconds:
            warm_up = scenario.warm_up_seconds / 3600.0
            raise SimulationError(f"{hours:g} hours are within the warm-up of {name}; choose more than {warm_up:g}.")
        workload = draw_workload(scenario, source, seed)
        run = Run(scenario, workload, profile_of(POLICY, workload, seed), seed)
        run.begin()
        due = scenario.warm_up_seconds
        while run.proceed():
            if run.queue.now >= due:
                found.append(rows_of(run.scheduler.cluster))
                due += _EVERY_SECONDS
    return np.concatenate(found)


def rows_of(cluster: Cluster) -> Float32Array:
    """Return (nodes, features of `NODE_SCHEMA`) as they are now."""
    rows = cluster.rows()
    # A pod that asks for nothing: no column of a node depends on it.
    nothing = Requirements({}, {}, cluster.columns)
    table = placement_features(nothing, _NOBODY, cluster, rows, np.zeros(len(rows)))
    return np.ascontiguousarray(table[:, : NODE_SCHEMA.width])
