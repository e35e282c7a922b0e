from pathlib import Path

import numpy as np

from hydatis.simulations.sweeps import code_version as module
from hydatis.simulations.sweeps.code_version import code_version


def test_it_names_the_package_numpy_and_the_sources() -> None:
    version = code_version()
    assert f"numpy {np.__version__}" in version
    assert version == code_version()


def test_a_source_that_decides_is_in_it_and_one_that_only_tells_is_not(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("placing.py", "inner/parameters.json", "commands.py", "notes.txt"):
        (tmp_path / name).write_text(name)
    found = module._sources(tmp_path, "hydatis.simulations")
    assert [path for path, _ in found] == [
        "hydatis.simulations/inner/parameters.json",
        "hydatis.simulations/placing.py",
    ]
    assert dict(found)["hydatis.simulations/placing.py"] == b"placing.py"
