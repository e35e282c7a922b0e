from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.measures.testing import record
from hydatis.simulations.measures.timeline import timeline_of
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.kept_runs import KeptRuns
from hydatis.simulations.sweeps.summary import RunSummary

JOB = Job("six-nodes", "Random", 1, code="0.1.0")
RUN = RunSummary(JOB, {"cpu_mean_percent": 50.0}, timeline_of(record([[50.0]])), nodes=1, pods=0, decisions=0)


def test_a_run_is_found_again_under_all_that_decides_it(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path / "new" / "folder")
    assert kept.find(JOB) is None
    kept.keep(RUN)
    assert kept.find(JOB) == RUN
    assert kept.find(replace(JOB, seed=2)) is None
    assert kept.find(replace(JOB, code="0.1.1")) is None


def test_the_folder_holds_one_file_a_run_and_nothing_half_written(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path)
    kept.keep(RUN)
    kept.keep(RUN)
    assert [path.name for path in tmp_path.iterdir()] == [f"six-nodes-Random-1-{JOB.key[:20]}.json"]


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "", lambda text: "\x80" + text])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: Callable[[str], str]) -> None:
    kept = KeptRuns(tmp_path)
    kept.keep(RUN)
    path = kept.path(JOB)
    path.write_text(damage(path.read_text()), encoding="latin-1")
    assert kept.find(JOB) is None


def test_a_file_of_another_run_under_this_name_is_not_taken(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path)
    kept.keep(RUN)
    other = replace(JOB, seed=2)
    kept.path(JOB).rename(kept.path(other))
    assert kept.find(other) is None


def test_a_place_that_is_no_folder_is_told_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SimulationError, match=r"--keep .*file cannot be used .*; name a folder"):
        KeptRuns(tmp_path / "file")


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    kept = KeptRuns(tmp_path)
    kept.path(JOB).mkdir()
    with pytest.raises(SimulationError, match="cannot be written"):
        kept.keep(RUN)
    assert list(tmp_path.iterdir()) == [kept.path(JOB)]
