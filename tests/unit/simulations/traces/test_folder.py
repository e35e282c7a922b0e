from collections.abc import Callable
from pathlib import Path

import pytest

from hydatis.simulations.traces.errors import TraceAltered, TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import CHECKSUMS, DataFolder, FileState

Write = Callable[[str, str], Path]


LIST = "openb/openb_pod_list_default.csv"


def test_an_unset_variable_and_a_folder_that_is_none_are_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(TraceMissing, match="HYDATIS_DATA is not set; set it to the folder"):
        DataFolder.from_environment({})
    with pytest.raises(TraceMissing, match="which is not a folder; correct it"):
        DataFolder.from_environment({"HYDATIS_DATA": str(tmp_path / "nowhere")})


def test_files_are_found_by_pattern_in_order_of_name(folder: DataFolder, write: Write) -> None:
    for name in ("b", "a"):
        write(f"nab/{name}.csv", "")
    write("smd/other.csv", "")
    assert [path.name for path in folder.files("nab/*.csv")] == ["a.csv", "b.csv"]
    assert folder.file("nab/*.csv").name == "a.csv"
    assert folder.has("nab/*.csv")
    assert not folder.has("asd/*")


def test_a_file_that_is_not_there_is_told_with_where_to_get_it(folder: DataFolder) -> None:
    with pytest.raises(TraceMissing, match=r"holds no smd/\*.parquet; put it there \(`hydatis traces show smd`"):
        folder.files("smd/*.parquet")


def test_a_file_that_the_checksums_promise_is_missed_by_name(
    folder: DataFolder, write: Write, seal: Callable[[], None]
) -> None:
    write("nab/a.csv", "x")
    lost = write("nab/b.csv", "y")
    seal()
    lost.unlink()
    with pytest.raises(TraceMissing, match=r"nab/b.csv is missing, though SHA256SUMS names it; fetch it again"):
        folder.files("nab/*.csv")
    assert folder.state(lost) is FileState.MISSING


@pytest.mark.parametrize("damaged", [b"12", b"124", b"1234", b""], ids=["cut short", "altered", "longer", "empty"])
def test_a_file_with_another_checksum_is_not_read(
    folder: DataFolder, write: Write, seal: Callable[[], None], damaged: bytes
) -> None:
    path = write(LIST, "123")
    seal()
    assert folder.read(path) == b"123"
    assert folder.state(path) is FileState.VERIFIED
    path.write_bytes(damaged)
    with pytest.raises(TraceAltered, match=r"default.csv .* is not the file that SHA256SUMS names.*fetch it again"):
        folder.read(path)
    assert folder.state(path) is FileState.ALTERED


def test_a_file_beside_the_checksums_and_a_folder_without_them_are_read_as_they_are(
    folder: DataFolder, write: Write, seal: Callable[[], None]
) -> None:
    first = write(LIST, "123")
    assert folder.read(first) == b"123"
    other = DataFolder(folder.path)
    seal()
    added = write("openb/new.csv", "4")
    assert other.state(added) is FileState.NOT_LISTED
    assert other.read(added) == b"4"


def test_a_line_that_is_no_checksum_is_named(folder: DataFolder, write: Write) -> None:
    write(CHECKSUMS, "0" * 64 + "  fine\nnonsense\n")
    with pytest.raises(TraceMalformed, match="SHA256SUMS line 2 is no checksum"):
        folder.has("fine")
