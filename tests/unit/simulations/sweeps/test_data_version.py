from pathlib import Path

import pytest

from hydatis.simulations.sweeps.data_version import data_version
from hydatis.simulations.traces.errors import TraceMissing
from hydatis.simulations.traces.folder import DATA_VARIABLE


def test_made_up_workloads_depend_on_no_data() -> None:
    assert data_version({}) == data_version({DATA_VARIABLE: ""}) == ""


def test_names_and_contents_of_the_traces_that_are_read_count_and_nothing_else(tmp_path: Path) -> None:
    environment = {DATA_VARIABLE: str(tmp_path)}
    (tmp_path / "openb").mkdir()
    pods = tmp_path / "openb" / "openb_pod_list_default.csv"
    pods.write_text("one")
    first = data_version(environment)
    (tmp_path / "smd").mkdir()
    (tmp_path / "smd" / "machine.csv").write_text("not read")
    assert data_version(environment) == first
    pods.write_text("two")
    second = data_version(environment)
    pods.rename(pods.with_name("openb_pod_list_other.csv"))
    assert len({first, second, data_version(environment)}) == 3


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TraceMissing, match="is not a folder"):
        data_version({DATA_VARIABLE: str(tmp_path / "none")})
