import numpy as np

from hydatis.simulations.measures.testing import record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.reporting.studies import studies_of
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.running import Swept
from hydatis.simulations.sweeps.summary import RunSummary

TIMELINE = timeline_of(record([[50.0]]))


def done(scenario: str, policy: str, seed: int) -> RunSummary:
    return RunSummary(Job(scenario, policy, seed), {"cpu_mean_percent": np.nan}, TIMELINE, 1, 0, 0)


def test_runs_are_put_together_by_scenario_policy_and_seed() -> None:
    swept = Swept((done("a", "X", 2), done("b", "X", 1), done("a", "Y", 1), done("a", "X", 1)), ())
    first, second = studies_of(swept, None)
    assert (first.scenario, second.scenario) == ("a", "b")
    assert {policy: [run.job.seed for run in runs] for policy, runs in first.runs.items()} == {"X": [1, 2], "Y": [1]}


def test_the_reference_is_the_one_named_or_kube_scheduler_or_the_first() -> None:
    swept = Swept((done("a", "X", 1), done("a", "KubeScheduler", 1)), ())
    assert studies_of(swept, "X")[0].reference == "X"
    assert studies_of(swept, None)[0].reference == "KubeScheduler"
    assert studies_of(Swept((done("a", "Y", 1), done("a", "X", 1)), ()), None)[0].reference == "Y"


def test_what_is_missing_stays_with_its_scenario_and_one_without_its_reference_is_left_out() -> None:
    missing = (Job("a", "X", 2), Job("b", "X", 1))
    (study,) = studies_of(Swept((done("a", "X", 1), done("b", "Y", 1)), missing), "X")
    assert study.scenario == "a"
    assert study.missing == [missing[0]]
