"""Usage series and arrivals of the sources other than openb, on small files and on the recorded ones."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hydatis.simulations.traces import aggregates, alibaba2018, bitbrains, dlrm, genai
from hydatis.simulations.traces.errors import TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import DataFolder

Write = Callable[[str, str], Path]
WriteParquet = Callable[[str, Mapping[str, Sequence[Any]]], Path]


DLRM = (
    "instance_sn,role,app_name,cpu_request,cpu_limit,gpu_request,gpu_limit,rdma_request,rdma_limit,memory_request,"
    "memory_limit,disk_request,disk_limit,max_instance_per_node,creation_time,scheduled_time,deletion_time\n"
)
MACHINES = "machine_id,ts,cpu_util_percent,mem_util_percent,mem_gps,mkpi,net_in,net_out,disk_io_percent\n"


def test_dlrm_units_limits_and_open_ends(folder: DataFolder, write: Write) -> None:
    write(
        "alibaba_dlrm2025/disaggregated_DLRM_trace.csv",
        DLRM
        + "i0,HN,app_0,12,12,1,1,25,25,120.5,120.0,640.0,800.0,8,,,\n"
        + "i1,CN,app_1,0.5,1,0,0,1,1,40.0,40.0,85.0,100.0,-1,100,160,760\n",
    )
    pods = dlrm.read_pods(folder)
    assert pods.owners == ("app_0", "app_1")
    assert pods.cpu_millicores.tolist() == [12000, 500]
    assert pods.memory_mib.tolist() == [123392, 40960]
    assert pods.gpu_demand_milli.tolist() == [1000, 0]
    assert pods.most_per_node.tolist() == [8, 0]
    assert np.isnan(pods.created_seconds[0])
    assert np.array_equal(pods.lifetimes_seconds, [np.nan, 600], equal_nan=True)


def test_genai_pods_are_told_apart_and_keep_missing_metrics(folder: DataFolder, write_parquet: WriteParquet) -> None:
    write_parquet(
        "alibaba_genai2026/pod_metrics_57s.parquet",
        {
            "pod": ["b", "a", "b"],
            "t_s": [57, 0, 0],
            "mem_util": [0.5, 0.25, 0.75],
            "gpu_duty_pct": [None, 10.0, None],
            "gpu_mem_gib": [1.0, 2.0, 3.0],
        },
    )
    b, a = genai.read_usage(folder)
    assert (b.name, a.name) == ("b", "a")
    assert b.times_seconds.tolist() == [0, 57]
    assert b.values["memory_percent"].tolist() == [75, 50]
    assert np.isnan(b.values["gpu_duty_percent"]).all()
    assert a.values["gpu_duty_percent"].tolist() == [10]


def test_bitbrains_repeated_times_go_and_capacities_come(
    folder: DataFolder, write: Write, write_parquet: WriteParquet
) -> None:
    rows: dict[str, Sequence[Any]] = {"vm": [7, 7, 7, 9], "ts": [600, 300, 600, 300], "cpu_pct": [112.0, 1.0, 3.0, 4.0]}
    the_rest = {name: [5] * 4 for name in ("mem_pct", "disk_r_kbs", "disk_w_kbs", "net_rx_kbs", "net_tx_kbs")}
    write_parquet("bitbrains_rnd/usage_2013-09.parquet", {**rows, **the_rest})
    with pytest.raises(TraceMissing, match=r"holds no bitbrains_rnd/vms_2013-09.csv"):
        bitbrains.read_usage(folder)
    write("bitbrains_rnd/vms_2013-09.csv", "vm,cores,mem_cap_mib\n7,4,8192\n")
    seven, nine = bitbrains.read_usage(folder)
    assert seven.times_seconds.tolist() == [300, 600]
    assert seven.values["cpu_percent"].tolist() == [1, 112]
    assert (seven.cpu_millicores, seven.memory_mib) == (4000, 8192)
    assert np.isnan(nine.cpu_millicores)


def test_alibaba_counters_become_rates_and_abnormal_shares_go(folder: DataFolder, write: Write) -> None:
    write(
        "alibaba2018_machines/machine_usage.csv.gz",
        MACHINES
        + "m1,10,40,90,,,5,1,101\nm1,30,42,91,,,7,1,-1\nm1,20,41,90,,2,6,1,5\n"
        + "m1,40,41,90,,2,0,3,100\nm2,5,1,2,,,0,0,0\n",
    )
    m1, m2 = alibaba2018.read_usage(folder)
    assert m1.times_seconds.tolist() == [10, 20, 30, 40]
    assert m1.values["cpu_percent"].tolist() == [40, 41, 42, 41]
    assert np.array_equal(m1.values["disk_percent"], [np.nan, 5, np.nan, 100], equal_nan=True)
    rates = m1.values["network_received_percent_s"]
    assert np.array_equal(rates, [np.nan, 0.1, 0.1, np.nan], equal_nan=True), "a counter that fell began anew"
    assert m1.values["network_sent_percent_s"][3] == 0.2
    assert len(m2) == 1


def test_aggregates_keep_their_own_units(folder: DataFolder, write: Write) -> None:
    write("dc_aggregates/google2019_300s.csv", "t_s,avg_cpu,avg_mem,avg_assigned_mem,avg_cpi\n0,0.4,0.3,0.6,148\n")
    write("dc_aggregates/azure2019_300s.csv.gz", "timestamp,cpu_usage,assigned_mem\n300,6e6,2e6\n")
    azure, google = aggregates.read_usage(folder)
    assert (azure.name, google.name) == ("azure2019", "google2019")
    assert azure.values["cpu_core_percent"].tolist() == [6e6]
    assert google.values["cpu_share"].tolist() == [0.4]
    write("dc_aggregates/other.csv", "when,load\n0,1\n")
    with pytest.raises(TraceMalformed, match=r"other.csv lacks one of t_s, timestamp and one of avg_cpu"):
        aggregates.read_usage(folder)


def test_recorded_usage_is_in_order_and_within_bounds(recorded: DataFolder) -> None:
    pytest.importorskip("pyarrow", reason="parquet files need the extra `simulations`")
    for read in (alibaba2018.read_usage, genai.read_usage, bitbrains.read_usage, aggregates.read_usage):
        series = read(recorded)
        assert series
        for one in series:
            assert (np.diff(one.times_seconds) > 0).all(), one.name
            assert all(len(values) == len(one) for values in one.values.values())
    machines = alibaba2018.read_usage(recorded)
    assert max(np.nanmax(m.values["cpu_percent"]) for m in machines) <= 100
