"""The layout holds what packaging and imports rely on."""

import operator
import sysconfig
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_ROOMS = ("scheduler", "operator", "simulations", "sandbox", "benchmarks")


@pytest.mark.parametrize("room", _ROOMS)
def test_a_source_root_and_its_namespace_hold_no_init_file(room: str) -> None:
    # With one in operator/, `import operator` from the root would find it instead of the standard library's.
    assert not (_ROOT / room / "__init__.py").exists()
    assert not (_ROOT / room / "hydatis" / "__init__.py").exists()
    assert (_ROOT / room / "hydatis" / room / "py.typed").exists()


def test_the_standard_librarys_operator_is_the_one_imported() -> None:
    assert Path(operator.__file__).parent == Path(sysconfig.get_path("stdlib"))
