import os

import pytest

from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.training.anomaly.evaluating import REFERENCE, MachineResult, count_of_results, evaluate_anomaly
from hydatis.simulations.training.anomaly.machines import Side, read_machines
from hydatis.simulations.training.anomaly.reporting import markdown_table


def test_made_up_machines_are_measured_beside_the_reference() -> None:
    told: list[MachineResult] = []
    evaluation = evaluate_anomaly(None, ["principal"], seed=1, done=told.append)
    assert tuple(told) == evaluation.machines
    assert len(told) == count_of_results(None, ["principal"]) == 16
    groups = {(group.detector, group.side): group for group in evaluation.groups}
    assert groups.keys() == {(name, side) for name in (REFERENCE, "principal") for side in Side}
    best = groups["principal", Side.VALIDATION]
    assert best.machines == 4
    assert best.figures["auc_pr"].mean > 3 * best.figures["random_auc_pr"].mean
    assert best.auc_pr_gain.mean > 0
    assert groups[REFERENCE, Side.VALIDATION].auc_pr_gain.mean == 0
    assert markdown_table(evaluation).count("\n") == 2 + 4


def test_sides_share_no_machine_and_are_the_same_each_time() -> None:
    machines = read_machines(None, seed=1)
    sides = {side: {m.metrics.name for m in machines if m.side is side} for side in Side}
    assert not sides[Side.TUNING] & sides[Side.VALIDATION]
    assert [(m.metrics.name, m.side) for m in read_machines(None, seed=1)] == [
        (m.metrics.name, m.side) for m in machines
    ]


@pytest.mark.skipif(not os.environ.get(DATA_VARIABLE), reason=f"{DATA_VARIABLE} names no folder of traces")
def test_on_recorded_machines_that_were_not_tuned_on_it_beats_isolation_forest() -> None:
    # The smaller of the two sources, for the sake of time.
    evaluation = evaluate_anomaly(DataFolder.from_environment(), ["combined"], seed=1, sources=["asd"])
    groups = {(group.detector, group.side): group for group in evaluation.groups}
    judged = groups["combined", Side.VALIDATION]
    assert judged.machines >= 4
    assert judged.figures["auc_pr"].mean > 4 * judged.figures["random_auc_pr"].mean
    assert judged.auc_pr_gain.mean > 0.05
