import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hydatis.simulations.traces.commands import traces
from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.traces.sources import SOURCES

Write = Callable[[str, str], Path]


DLRM = (
    "instance_sn,role,app_name,cpu_request,gpu_request,rdma_request,memory_request,disk_request,max_instance_per_node,"
    "creation_time,scheduled_time,deletion_time\ni,HN,app,1,1,1,1,1,1,86400,,\n"
)


@pytest.fixture
def run(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv(DATA_VARIABLE, str(folder.path))
    return lambda *arguments: CliRunner().invoke(traces, arguments)


def test_every_source_says_where_its_original_is_and_under_which_terms(run: Callable[..., Result]) -> None:
    listed = run("list", "--json")
    documents = json.loads(listed.stdout)
    assert [document["name"] for document in documents] == [source.name for source in SOURCES]
    for document in documents:
        assert "http" in document["original"]
        assert document["terms"]
        assert document["citation"]
        assert document["original"] in run("show", document["name"]).stdout


def test_the_list_tells_what_is_at_hand(run: Callable[..., Result], write: Write) -> None:
    write("nab/a.csv", "")
    lines = {line.split()[0]: line.split()[1] for line in run("list").stdout.splitlines() if line}
    assert lines["nab"] == "here"
    assert lines["smd"] == "-"


def test_a_sound_trace_is_verified_and_described(
    run: Callable[..., Result], write: Write, seal: Callable[[], None], tmp_path: Path
) -> None:
    write("alibaba_dlrm2025/disaggregated_DLRM_trace.csv", DLRM)
    seal()
    result = run("verify", "--json", str(tmp_path / "out.json"))
    assert result.exit_code == 0, result.output
    assert "sound: 1 pods of 1 applications, 1.0 days" in result.output
    found = {entry["name"]: entry for entry in json.loads((tmp_path / "out.json").read_text())}
    assert found["alibaba_dlrm2025"]["files"] == {"alibaba_dlrm2025/disaggregated_DLRM_trace.csv": "verified"}
    assert not found["smd"]["sound"]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "is missing, though SHA256SUMS names it"),
        (lambda path: path.write_text("instance"), "was altered or cut short"),
    ],
    ids=["missing", "altered"],
)
def test_a_broken_trace_fails_the_command(
    run: Callable[..., Result],
    write: Write,
    seal: Callable[[], None],
    damage: Callable[[Path], None],
    problem: str,
) -> None:
    path = write("alibaba_dlrm2025/disaggregated_DLRM_trace.csv", DLRM)
    seal()
    damage(path)
    result = run("verify")
    assert result.exit_code == 1
    assert problem in result.output


def test_a_trace_that_was_named_has_to_be_there(run: Callable[..., Result]) -> None:
    assert run("verify").exit_code == 0
    assert run("verify", "smd").exit_code == 1


def test_bad_names_and_no_folder_are_told(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = run("show", "google")
    assert unknown.exit_code == 2
    assert "'google' is not a trace; use one of openb, alibaba_dlrm2025" in unknown.output
    monkeypatch.delenv(DATA_VARIABLE)
    unset = run("verify")
    assert unset.exit_code == 1
    assert "error: HYDATIS_DATA is not set" in unset.output


def test_the_recorded_traces_are_sound(recorded: DataFolder) -> None:
    pytest.importorskip("pyarrow", reason="parquet files need the extra `simulations`")
    result = CliRunner().invoke(traces, ["verify"])
    assert result.exit_code == 0, result.output
