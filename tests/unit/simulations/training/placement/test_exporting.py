"""What ONNX Runtime computes is what PyTorch computes, and a cluster takes it."""

from typing import Any

import numpy as np
import torch

from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.plugins.expected_overload import DECADES
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.environment.observing import FLAGS
from hydatis.simulations.training.placement.exporting import onnx_of
from hydatis.simulations.training.placement.network import overload_added


def test_the_served_score_is_the_power_of_ten_of_the_cost_that_is_added(draw_rows: Any, make_network: Any) -> None:
    rows = draw_rows(1, 500)[0]
    added = make_network(500).added
    added.standardise(rows)
    model = onnx_model(onnx_of(added), ModelKind.PLACEMENT, "agent")
    served = model.predict(rows[:, len(FLAGS) :].numpy())
    with torch.no_grad():
        power = added(rows, overload_added(rows)).numpy()
    assert np.abs(served - np.clip(-100.0 / DECADES * power, 0.0, 100.0)).max() < 1e-3
    assert served.std() > 5


def test_columns_that_are_not_read_change_nothing(draw_rows: Any, make_network: Any) -> None:
    """Among them the node's size: an agent holds on nodes of other shapes."""
    rows = draw_rows(1, 50)[0][:, len(FLAGS) :].numpy()
    model = onnx_model(onnx_of(make_network(50).added), ModelKind.PLACEMENT, "agent")
    before = model.predict(rows)
    rows[:, [PLACEMENT_SCHEMA.index(name) for name in ("cpu_capacity", "memory_available", "pods")]] = 77.0
    assert (model.predict(rows) == before).all()
    rows[:, PLACEMENT_SCHEMA.index("overload_added")] += 1.0
    assert (model.predict(rows) <= before).all()
