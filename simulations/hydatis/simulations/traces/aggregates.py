"""Data-centre aggregates: the load of all of Google's Borg cells and of all of Azure's virtual machines, each 300 s.

They show the daily and weekly shape of demand and nothing finer. Each source has units of its own: shares of capacity
for Google, core-percent and assigned GiB for Azure.
"""

from hydatis.simulations.traces.errors import TraceMalformed
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import UsageSeries
from hydatis.simulations.traces.tables import read_csv

_TIME_COLUMNS = ("t_s", "timestamp")
_METRICS = {
    "avg_cpu": "cpu_share",
    "avg_mem": "memory_share",
    "avg_assigned_mem": "assigned_memory_share",
    "cpu_usage": "cpu_core_percent",
    "assigned_mem": "assigned_memory_gib",
}


def read_usage(folder: DataFolder) -> list[UsageSeries]:
    """Read every aggregate, named after its file up to the first underscore. Raises `TraceError`."""
    found = []
    for path in folder.files("dc_aggregates/*.csv*"):
        table = read_csv(folder, path, ())
        time = next((column for column in _TIME_COLUMNS if column in table), None)
        known = {column: metric for column, metric in _METRICS.items() if column in table}
        if time is None or not known:
            wanted = f"one of {', '.join(_TIME_COLUMNS)} and one of {', '.join(_METRICS)}"
            raise TraceMalformed(f"{path} lacks {wanted}; put the original file there.")
        values = {metric: table.numbers(column) for column, metric in known.items()}
        found.append(UsageSeries(path.name.split("_")[0], table.numbers(time), values))
    return found
