"""Alibaba 2018 machines: usage of nodes that run services and batch jobs together (cluster-trace-v2018), 8 days.

Quirks that are dealt with here: samples are irregular, about 60 s apart; network is a cumulative counter, of which the
increase a second is given; disk shares of -1 and 101 mean «abnormal» and become NaN; memory bandwidth and misses are
mostly missing and left out.
"""

import numpy as np

from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import UsageSeries
from hydatis.simulations.traces.grouping import rate_of, series_of
from hydatis.simulations.traces.tables import read_csv

_COLUMNS = ("machine_id", "ts", "cpu_util_percent", "mem_util_percent", "net_in", "net_out", "disk_io_percent")
_COUNTERS = ("network_received_percent_s", "network_sent_percent_s")


def read_usage(folder: DataFolder) -> list[UsageSeries]:
    """Read CPU, memory, disk and network of every machine. Raises `TraceError`."""
    found = []
    for path in folder.files("alibaba2018_machines/machine_usage*.csv*"):
        table = read_csv(folder, path, _COLUMNS)
        disk = table.numbers("disk_io_percent")
        disk[(disk < 0) | (disk > 100)] = np.nan
        values = {
            "cpu_percent": table.numbers("cpu_util_percent"),
            "memory_percent": table.numbers("mem_util_percent"),
            "disk_percent": disk,
            "network_received_percent_s": table.numbers("net_in"),
            "network_sent_percent_s": table.numbers("net_out"),
        }
        found += [_with_rates(s) for s in series_of(table.texts("machine_id"), table.numbers("ts"), values)]
    return found


def _with_rates(series: UsageSeries) -> UsageSeries:
    rates = {name: rate_of(series.values[name], series.times_seconds) for name in _COUNTERS}
    return UsageSeries(series.name, series.times_seconds, {**series.values, **rates})
