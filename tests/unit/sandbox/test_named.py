import pytest

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.folders import state_folder
from hydatis.sandbox.named import folder_of

HOSTILE = ["", ".", "..", "../x", "a/b", "/", "Upper", "-x", "x-", "a b", "x" * 64, "ü", "a\n", "a\0b", "~", "٣"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_leave_its_folder_or_is_no_label_is_refused(name: str) -> None:
    with pytest.raises(SandboxError, match="is not a sandbox name; use"):
        folder_of(name)


@pytest.mark.parametrize("name", ["default", "a", "7", "a-b-2", "x" * 63])
def test_a_plain_name_is_a_folder_of_its_own_below_the_state_folder(name: str) -> None:
    assert folder_of(name) == state_folder() / "named" / name
