import numpy as np
import pytest

from hydatis.scheduler.features.columns import NODE_SCHEMA
from hydatis.scheduler.testing import cluster_of, measure_nodes, node
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.training.anomaly.simulated_nodes import node_rows, rows_of

GIB = 2.0**30


def test_a_row_is_what_the_ensemble_shows_the_anomaly_model() -> None:
    cluster = cluster_of(
        node("a").allocatable(cpu="10", memory="100Gi"), node("b").allocatable(cpu="20", memory="50Gi")
    )
    measure_nodes(cluster, 600.0, {"a": (4000.0, 30.0 * GIB)})
    cluster.load.advance(630.0)
    rows = rows_of(cluster)
    assert rows.shape == (2, NODE_SCHEMA.width)
    of_a = rows[cluster.row_of("a")]
    assert of_a[NODE_SCHEMA.index("cpu_utilization")] == pytest.approx(0.4)
    assert of_a[NODE_SCHEMA.index("memory_available")] == pytest.approx(70.0)
    assert rows[cluster.row_of("b"), NODE_SCHEMA.index("cpu_capacity")] == pytest.approx(20.0)


def test_every_node_is_seen_each_five_minutes_after_the_warm_up() -> None:
    rows = node_rows({}, 1, scenarios=("six",), hours=2.5)
    assert rows.shape == (6 * 6, NODE_SCHEMA.width)
    assert np.isfinite(rows).all()
    assert rows[:, NODE_SCHEMA.index("cpu_utilization")].std() > 0.0


def test_a_time_within_the_warm_up_is_told() -> None:
    with pytest.raises(SimulationError, match="2 hours are within the warm-up of six; choose more than 2"):
        node_rows({}, 1, scenarios=("six",), hours=2.0)
