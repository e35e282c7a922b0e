"""What a pod would have added, told when it is known how loaded every node became.

The pod that is asked about has not been placed anywhere: nothing came or stayed away because of it, on no node. If
the pods that really came were asked about, the node each went to would look better than it was, since others were
kept from it afterwards.
"""

from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Float32Array, Float64Array, Int64Array
from hydatis.simulations.virtual_time.record import RunRecord
from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.workload import Workload

THRESHOLD = 0.6
"""Share of a node's CPU above which load hurts, as in the closed form."""
HORIZON_SECONDS = 12 * 3600.0
"""Of a longer life no more is looked at: by then much of what the node runs has gone."""


@dataclass(frozen=True, slots=True)
class Question:
    """One more pod, as a decision sees it."""

    seconds: float
    """When it would start."""
    pod: int
    """The pod whose use and life stand for its: another one of the same owner."""
    nodes: Int64Array
    """(rows,) where it could go, as numbers of the run's nodes."""
    features: Float32Array
    """(rows, features) in the order of `PLACEMENT_SCHEMA`."""
    weight: float
    """How many decisions it stands for."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What questions came to, one row a node and question."""

    features: Float32Array
    """(rows, features)"""
    added: Float64Array
    """(rows,) what the pod adds to the mean over its life, 12 h at the most, of max(0, u - 0.6)^2 of the node, u its
    CPU use as a share of what it has; at least 0.
    """
    weight: Float64Array
    """(rows,) how much a row counts: decisions times hours of life."""
    question: Int64Array
    """(rows,) to which question a row belongs, rising from 0."""


def answered(questions: list[Question], record: RunRecord, workload: Workload, running: RunningPods) -> Answered:
    """Return the answers, of at least one question, in the order of questions and nodes."""
    step = float(record.times_seconds[1] - record.times_seconds[0])
    demand = record.cpu_demand_percent.astype(np.float64) / 100.0
    added, weight = [], []
    for question in questions:
        life = min(float(workload.lifetime_seconds[question.pod]), HORIZON_SECONDS)
        first = int(question.seconds // step)
        last = min(len(demand), max(first + 1, first + round(life / step)))
        use = running.cpu_of(question.pod, record.times_seconds[first:last])
        share = use[:, np.newaxis] / record.cpu_capacity_millicores[question.nodes]
        before = demand[first:last, question.nodes]
        rises = np.maximum(0.0, before + share - THRESHOLD) ** 2 - np.maximum(0.0, before - THRESHOLD) ** 2
        # A node that goes meanwhile counts for as long as it was there.
        there = ~np.isnan(rises)
        added.append(np.where(there, rises, 0.0).sum(axis=0) / np.maximum(1, there.sum(axis=0)))
        weight.append(np.full(len(question.nodes), question.weight * (last - first) * step / 3600.0))
    features = np.concatenate([question.features for question in questions])
    numbers = np.repeat(np.arange(len(questions)), [len(question.nodes) for question in questions])
    return Answered(features, np.concatenate(added), np.concatenate(weight), numbers)
