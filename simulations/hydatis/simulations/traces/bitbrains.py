"""Bitbrains: virtual machines of business applications (GWA-T-12 «Rnd»), a sample each 5 minutes over a month.

Quirks that are dealt with here: times are seconds although the original header says milliseconds; timestamps repeat in
some months, gaps of up to an hour occur; CPU goes a little above 100 % of what was provisioned; memory is active
memory only, in percent of what was provisioned, therefore low. Several months in one folder are read one after the
other, and a virtual machine is then one series a month.
"""

import re
from pathlib import Path

from hydatis.simulations.traces.errors import TraceMalformed
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import UsageSeries
from hydatis.simulations.traces.grouping import Capacity, series_of
from hydatis.simulations.traces.tables import read_csv, read_parquet

_USAGE = re.compile(r"usage_(.+)\.parquet")
_COLUMNS = ("vm", "ts", "cpu_pct", "mem_pct", "disk_r_kbs", "disk_w_kbs", "net_rx_kbs", "net_tx_kbs")
_METRICS = (
    "cpu_percent",
    "memory_percent",
    "disk_read_kib_s",
    "disk_write_kib_s",
    "network_received_kib_s",
    "network_sent_kib_s",
)


def read_usage(folder: DataFolder) -> list[UsageSeries]:
    """Read all metrics of every virtual machine. Raises `TraceError`."""
    found = []
    for path in folder.files("bitbrains_rnd/usage_*.parquet"):
        columns = read_parquet(folder, path, _COLUMNS)
        values = {metric: columns[column] for metric, column in zip(_METRICS, _COLUMNS[2:], strict=True)}
        found += series_of(columns["vm"], columns["ts"], values, _capacities(folder, path))
    return found


def _capacities(folder: DataFolder, usage: Path) -> dict[str, Capacity]:
    match = _USAGE.fullmatch(usage.name)
    if match is None:
        raise TraceMalformed(f"{usage} is not named usage_MONTH.parquet; rename it.")
    table = read_csv(folder, folder.file(f"bitbrains_rnd/vms_{match[1]}.csv*"), ("vm", "cores", "mem_cap_mib"))
    cores, memory = table.numbers("cores"), table.numbers("mem_cap_mib")
    machines = table.texts("vm")
    return {vm: Capacity(1000 * cores[row], memory[row]) for row, vm in enumerate(machines)}
