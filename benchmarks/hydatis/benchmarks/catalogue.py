"""All workloads by name: the project's own, and those of scheduler_perf.

Called by the command line and the series.
"""

from hydatis.benchmarks.errors import BenchError
from hydatis.benchmarks.modes import MODES, Mode
from hydatis.benchmarks.scheduler_perf import DEFAULT_NODES, DEFINITIONS, PerfWorkload
from hydatis.benchmarks.workload import SHAPES, ShapedWorkload, Workload

NAMES = (*SHAPES, *DEFINITIONS)
_OWN_NODES = (100, 1000, 5000)
_OWN_PODS = 2000


def check_name(name: str) -> str:
    """Give a workload's name back.

    Raises:
        BenchError: there is none of that name.

    """
    if name not in NAMES:
        raise BenchError(f"--workload {name} is unknown; choose from {', '.join(NAMES)}.")
    return name


def default_nodes(name: str) -> tuple[int, ...]:
    """Return the sizes that a workload is measured at unless told otherwise."""
    return _OWN_NODES if name in SHAPES else (DEFAULT_NODES,)


def default_modes(name: str) -> tuple[str, ...]:
    """Return the modes that a workload is measured in unless told otherwise; upstream's are made for bursts."""
    return tuple(mode.name for mode in MODES) if name in SHAPES else ("burst",)


def workload(name: str, nodes: int, mode: Mode, pods: int | None, seed: int) -> Workload:
    """Make a workload of a size; `pods` overrides how many are measured."""
    if name in SHAPES:
        return ShapedWorkload(name, mode.pods(pods or _OWN_PODS), seed)
    size = DEFINITIONS[name].size(nodes)
    return PerfWorkload(DEFINITIONS[name], size, mode.pods(pods or size.measured))
