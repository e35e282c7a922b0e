"""From the closed form to a load model, in rounds.

The first round asks while the closed form places the pods. A model that is fitted to that has never seen what becomes
of nodes when it places them itself, and fills those that only look harmless. So in the rounds after that it
places pods, in half of the runs alone and in half with the closed form, and is fitted again to all answers so far:
DAgger (S. Ross, G. Gordon, J. A. Bagnell, «A Reduction of Imitation Learning and Structured Prediction to No-Regret
Online Learning», AISTATS 2011), with hindsight for the expert.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.simulations.baselines.ensembles import onnx_model
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.sweeps.data_version import data_version
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.one_run import drawn
from hydatis.simulations.sweeps.running import RunMany
from hydatis.simulations.training.load.exporting import onnx_of
from hydatis.simulations.training.load.gathering import gather
from hydatis.simulations.training.load.hindsight import Answered
from hydatis.simulations.training.load.judging import Judge
from hydatis.simulations.training.load.learning import TreeSettings, learn
from hydatis.simulations.training.load.regretting import regret
from hydatis.simulations.virtual_time.scenario import Part

_KEPT_OUT = 5
"""Every so manieth day is left out to measure."""
_SEEDS_A_ROUND = 10_000
"""Rounds take their seeds this far apart, so that no two share a workload."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be gathered."""

    scenario: str = "study"
    runs: tuple[int, ...] = (40, 40)
    """Of each round."""
    questions: int = 900
    """About how many a run."""
    shares: tuple[float, ...] = (1.0, 0.5)
    """Weights of the model in the runs of all rounds but the first, in turn."""
    assumptions: Mapping[str, str] = field(default_factory=dict)
    """What differs from the scenario's own, by name."""


@dataclass(frozen=True, slots=True)
class TrainedLoad:
    """What came of it."""

    onnx: bytes
    rows: int
    """What it was fitted to."""
    regret_model: float
    """What the nodes that the model would choose add, over the least that a node adds; measured on every fifth day,
    by a model that was fitted to the other days. At least 1.
    """
    regret_closed_form: float
    """The same of the closed form."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What one run gave. Plain values, so that it comes back from another machine."""

    seed: int
    answers: Answered


def train_load(
    plan: Plan,
    seed: int,
    run_many: RunMany,
    *,
    settings: TreeSettings | None = None,
    told: Callable[[str], None] = lambda line: None,
) -> TrainedLoad:
    """Return the model. The same arguments and traces give the same model.

    `told` hears of every run and fit.

    Raises:
        SimulationError: the scenario is unknown, or no workload can be drawn.
        TraceError: the traces cannot be read.

    """
    lots: list[Lot] = []
    exported: bytes | None = None
    for number, runs in enumerate(plan.runs):
        jobs = [_job(plan, seed + _SEEDS_A_ROUND * number + run) for run in range(runs)]
        make = functools.partial(_play, model=exported, plan=plan)
        found = []
        for lot in run_many(jobs, make):
            found.append(lot)
            told(f"round {number + 1}: {len(found)}/{runs} days played, {len(lot.answers.added)} rows")
        # In whatever order they were made.
        lots += sorted(found, key=lambda lot: lot.seed)
        rows = sum(len(lot.answers.added) for lot in lots)
        told(f"round {number + 1}: fitting {rows} rows")
        exported = onnx_of(learn([lot.answers for lot in lots], seed, settings))
    assert exported is not None  # noqa: S101 - a plan has a round
    told("measuring on days that are left out")
    kept_out = [lot.answers for lot in lots[::_KEPT_OUT]]
    others = [lot.answers for number, lot in enumerate(lots) if number % _KEPT_OUT] or kept_out
    tried = _loaded(onnx_of(learn(others, seed, settings)))
    return TrainedLoad(exported, rows, regret(kept_out, tried), regret(kept_out, None))


def _job(plan: Plan, seed: int) -> Job:
    """Return one run of the training part. Nothing of it is kept, so that it needs no configuration."""
    changes = {**plan.assumptions, "part": str(Part.TRAINING)}
    return Job(plan.scenario, "gathering", seed, changes, {}, data_version(), code_version())


def _play(job: Job, *, model: bytes | None, plan: Plan) -> Lot:
    scenario, workload = drawn(job)
    judge = Judge()
    if model is not None:
        share = plan.shares[job.seed % len(plan.shares)]
        judge = Judge(_loaded(model), share)
    return Lot(job.seed, gather(scenario, workload, judge, job.seed, questions=plan.questions))


def _loaded(model: bytes) -> Model:
    return onnx_model(model, ModelKind.LOAD, "load")
