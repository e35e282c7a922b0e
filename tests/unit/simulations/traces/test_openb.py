from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hydatis.simulations.traces.errors import TraceMalformed, TraceMissing
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.openb import pod_list_names, read_nodes, read_pods, read_published, split_initial

Write = Callable[[str, str], Path]


HEADER = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
)
DAY_115 = 115 * 86_400


def test_requests_models_and_times_are_read(folder: DataFolder, write: Write) -> None:
    write(
        "openb/openb_pod_list_default.first70.csv.gz",
        HEADER
        + f"old,12000,16384,1,460,,LS,Running,0,{DAY_115 + 10},0\n"
        + f"whole,4000,0,8,1000,T4|V100M16,BE,Failed,{DAY_115},{DAY_115 + 700},{DAY_115 + 100}\n"
        + f"given-up,1000,1024,0,0,,LS,Pending,{DAY_115 + 5},{DAY_115 + 50},\n",
    )
    pods = read_pods(folder)
    assert pods.names == ("old", "whole", "given-up")
    assert pods.cpu_millicores.tolist() == [12000, 4000, 1000]
    assert pods.memory_mib.tolist() == [16384, 0, 1024]
    assert pods.gpu_demand_milli.tolist() == [460, 8000, 0]
    assert pods.gpu_models == ((), ("T4", "V100M16"), ())
    assert pods.qos == ("LS", "BE", "LS")
    assert np.array_equal(pods.lifetimes_seconds, [DAY_115 + 10, 600, np.nan], equal_nan=True)


def test_the_initial_state_is_told_from_arrivals(folder: DataFolder, write: Write) -> None:
    rows = [
        f"p{day},1,1,0,0,,LS,Running,{day * 86_400},{day * 86_400 + 5},{day * 86_400}\n" for day in (0, 114, 115, 140)
    ]
    write("openb/openb_pod_list_default.csv", HEADER + "".join(rows))
    initial, arrived = split_initial(read_pods(folder))
    assert initial.names == ("p0", "p114")
    assert arrived.names == ("p115", "p140")
    assert len(arrived.gpu_models) == len(arrived) == 2


def test_a_list_for_static_packing_has_no_times(folder: DataFolder, write: Write) -> None:
    write("openb/openb_pod_list_multigpu50.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,2,1000\n")
    pods = read_pods(folder, "multigpu50")
    assert np.isnan(pods.created_seconds).all()
    assert pods.qos == ("",)


def test_lists_are_told_apart_by_their_whole_name(folder: DataFolder, write: Write) -> None:
    for name in ("default.last30.csv.gz", "gpuspec33.csv", "gpuspec330.csv"):
        write(f"openb/openb_pod_list_{name}", f"name,cpu_milli,memory_mib,num_gpu,gpu_milli\n{name},1,1,0,0\n")
    assert pod_list_names(folder) == ["default", "gpuspec33", "gpuspec330"]
    assert read_pods(folder, "gpuspec33").names == ("gpuspec33.csv",)
    assert read_pods(folder).names == ("default.last30.csv.gz",)
    with pytest.raises(TraceMissing, match="the lists there are: default, gpuspec33, gpuspec330"):
        read_pods(folder, "cpu100")


@pytest.mark.parametrize("gpus_and_milli", ["2,500", "1,1001", "0,500", "1,0"])
def test_a_gpu_request_that_cannot_be_is_refused(folder: DataFolder, write: Write, gpus_and_milli: str) -> None:
    write(
        "openb/openb_pod_list_default.csv",
        f"name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,0,0\nb,1,1,{gpus_and_milli}\n",
    )
    with pytest.raises(TraceMalformed, match=r"line 3, column gpu_milli: .* GPUs cannot be"):
        read_pods(folder)


def test_nodes_and_published_results_are_read(folder: DataFolder, write: Write) -> None:
    write(
        "openb/openb_node_list_all_node.csv",
        "sn,cpu_milli,memory_mib,gpu,model\na,64000,1024,2,P100\nb,32000,2048,0,\n",
    )
    write(
        "openb/fgd_published_results.csv",
        "workload,policy,arrived_gpu_pct,alloc_pct_mean,alloc_pct_std\n"
        "openb_pod_list_default,06-FGD,0,0.2,0.1\nopenb_pod_list_default,06-FGD,130,95.4,0.2\n",
    )
    nodes = read_nodes(folder)
    assert nodes.gpus.tolist() == [2, 0]
    assert nodes.gpu_models == ("P100", "")
    assert read_nodes(folder, only_gpu_nodes=True).names == ("a",)
    assert read_published(folder)["default", "FGD"].final_percent == 95.4


def test_results_need_not_be_published(folder: DataFolder) -> None:
    assert read_published(folder) == {}


def test_the_recorded_list_is_as_its_description_says(recorded: DataFolder) -> None:
    pods = read_pods(recorded)
    never_placed = np.isnan(pods.scheduled_seconds)
    assert 0.05 < never_placed.mean() < 0.2
    assert np.nanmin(pods.lifetimes_seconds) >= 0
    assert not np.isnan(pods.created_seconds).any()
    nodes = read_nodes(recorded, only_gpu_nodes=True)
    assert (nodes.gpus > 0).all()
    assert all(nodes.gpu_models)
