import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.code_version import code_version
from hydatis.simulations.sweeps.plan import Plan
from hydatis.simulations.sweeps.planning import jobs_of
from hydatis.simulations.traces.folder import DATA_VARIABLE


@pytest.fixture(autouse=True)
def _made_up_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def test_all_of_one_seed_comes_before_the_next() -> None:
    jobs = jobs_of(Plan(("six", "study-light"), ("A", "B"), (1, 2), {"load": ("0.5",)}))
    assert [job.label for job in jobs[:4]] == [
        "six-full load=0.5, A, seed 1",
        "six-full load=0.5, B, seed 1",
        "study-light load=0.5, A, seed 1",
        "study-light load=0.5, B, seed 1",
    ]
    assert {job.seed for job in jobs[4:]} == {2}
    assert len({job.key for job in jobs}) == 8


def test_a_job_has_the_whole_scenario_and_the_code() -> None:
    (job,) = jobs_of(Plan(("six",), ("A",), (1,), {"missing_share": ("0.2",)}))
    assert job.configuration["assumptions"]["missing_share"] == 0.2
    assert job.configuration["demand"]["load"] == 0.8
    assert (job.code, job.data) == (code_version(), "")


@pytest.mark.parametrize(
    "plan", [Plan(("six", "six-full"), ("A",), (1,), {}), Plan(("six",), ("A",), (1,), {"load": ("1", "1.0")})]
)
def test_runs_that_are_the_same_are_told(plan: Plan) -> None:
    with pytest.raises(SimulationError, match="names the same runs twice"):
        jobs_of(plan)
