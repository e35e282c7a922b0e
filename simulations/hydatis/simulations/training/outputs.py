"""Finds out before a training whether its results could be written after it."""

import os
from pathlib import Path

from hydatis.simulations.errors import SimulationError


def check_writable(option: str, path: Path | None) -> None:
    """Raise SimulationError where the file that an option names cannot be written."""
    if path is None:
        return
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise SimulationError(f"{option} {path} cannot be written; name a file in a folder that can be.")
