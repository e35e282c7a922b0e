"""Which code decides a run's result.

A kept run counts only for the code that made it. The version of the package alone does not tell: between two releases,
and in a checkout, the code changes under one version.
"""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

_DECIDING = ("hydatis.scheduler", "hydatis.simulations")
_SUFFIXES = (".py", ".json")
"""Code, and the parameters of the generator of workloads."""
_TELLING_ONLY = ("commands.py", "reporting", "sweeps", "tracking", "comparing.py", "intervals.py")
"""Parts of `hydatis.simulations` that tell of results and decide none."""


@cache
def code_version() -> str:
    """Return the package's version, NumPy's (whose generators draw) and a digest of all sources that decide."""
    digest = hashlib.sha256()
    for package in _DECIDING:
        for path, content in _sources(files(package), package):
            digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    return f"{_package_version()} numpy {np.__version__} sources {digest.hexdigest()[:16]}"


def _sources(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    """Return path and content of every source below a package's folder, by path."""
    found: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path == "hydatis.simulations" and entry.name in _TELLING_ONLY:
            continue
        inner = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, inner)
        elif entry.name.endswith(_SUFFIXES):
            found.append((inner, entry.read_bytes()))
    return found


def _package_version() -> str:
    try:
        return version("hydatis")
    except PackageNotFoundError:
        return "not installed"
