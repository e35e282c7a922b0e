import pytest

from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.sweeps.one_run import run_job
from hydatis.simulations.sweeps.plan import Plan
from hydatis.simulations.sweeps.planning import jobs_of
from hydatis.simulations.traces.folder import DATA_VARIABLE


@pytest.fixture(autouse=True)
def _made_up_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.mark.parametrize("policy", ["KubeScheduler", "FGD"])
def test_the_same_job_gives_the_same_text(policy: str) -> None:
    short = {"length_seconds": ("1800",), "warm_up_seconds": ("600",)}
    (job,) = jobs_of(Plan(("six",), (policy,), (3,), short))
    first = run_job(job)
    assert first.text() == run_job(job).text()
    assert first.measures.keys() == BY_NAME.keys()
    assert first.nodes == 6
    assert first.pods > 0
    assert len(first.timeline.hours) == 30
