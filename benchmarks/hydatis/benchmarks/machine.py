"""What the benchmark ran on: the facts without which its numbers mean nothing."""

import platform
from collections.abc import Collection, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from hydatis.sandbox.binaries import locate
from hydatis.sandbox.go_module import Program

_GIB = 2**30


def machine() -> dict[str, Any]:
    """Describe the machine: processor, cores, memory, and how busy it was just before."""
    return {
        "cpu_model": _cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / _GIB, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_average_1m_before": round(psutil.getloadavg()[0], 2),
    }


def versions(control_plane: Collection[tuple[str, str]]) -> dict[str, str]:
    """Name the versions under test; `control_plane` brings (program, version) of its binaries."""
    return {"hydatis": version("hydatis"), "python": platform.python_version(), **dict(control_plane)}


def program_versions(programs: Iterable[Program]) -> list[tuple[str, str]]:
    """Name the versions of those of the control plane's programs that are there."""
    return [(str(program), found.version) for program in programs if (found := locate(program)) is not None]


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return models[0] if models else platform.machine()
