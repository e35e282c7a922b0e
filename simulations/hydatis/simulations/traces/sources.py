"""The sources of traces: what each holds, where a user gets the original, under which terms, and how it is read.

Called by `hydatis traces`. The project ships none of the data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hydatis.simulations.traces import (
    aggregates,
    alibaba2018,
    bitbrains,
    dlrm,
    genai,
    machine_anomalies,
    nab,
    openb,
)
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import LabelledMetrics, UsageSeries


@dataclass(frozen=True, slots=True)
class Source:
    """One trace. `read` reads all of it and returns a line about what was found; it raises `TraceError`."""

    name: str
    """The folder below HYDATIS_DATA."""
    holds: str
    form: str
    """What it is read to: arrivals, usage series, node list or labelled metrics."""
    patterns: tuple[str, ...]
    """The files that are read."""
    original: str
    """Repository, commit and path of the original files."""
    terms: str
    citation: str
    preparation: str
    """What has to be done to the original files; empty: they are read as they are, also compressed with gzip."""
    read: Callable[[DataFolder], str]


_ALIBABA = "https://github.com/alibaba/clusterdata at 7a6c496e4f4b"
_ALIBABA_TERMS = "Alibaba trace programme: free for research or study purpose"


def _openb(folder: DataFolder) -> str:
    lists = [f"{name} {len(openb.read_pods(folder, name)):,}" for name in openb.pod_list_names(folder)]
    nodes, gpu_nodes = openb.read_nodes(folder), openb.read_nodes(folder, only_gpu_nodes=True)
    published = len(openb.read_published(folder))
    return (
        f"pods: {', '.join(lists)}; {len(nodes):,} nodes, {len(gpu_nodes):,} with {int(gpu_nodes.gpus.sum()):,} GPUs; "
        f"{published} published results"
    )


def _dlrm(folder: DataFolder) -> str:
    pods = dlrm.read_pods(folder)
    days = np.nanmax(pods.created_seconds) / 86_400
    return f"{len(pods):,} pods of {len(set(pods.owners))} applications, {days:.1f} days"


def _usage(read: Callable[[DataFolder], list[UsageSeries]]) -> Callable[[DataFolder], str]:
    def described(folder: DataFolder) -> str:
        series = read(folder)
        days = max(float(np.ptp(one.times_seconds)) for one in series) / 86_400
        return f"{len(series)} series, {sum(map(len, series)):,} samples, {days:.1f} days"

    return described


def _labelled(read: Callable[[DataFolder], list[LabelledMetrics]]) -> Callable[[DataFolder], str]:
    def described(folder: DataFolder) -> str:
        machines = read(folder)
        anomalies = sum(len(machine.segments) for machine in machines)
        share = float(np.mean([machine.labels.mean() for machine in machines]))
        return f"{len(machines)} machines, {anomalies} anomalies, {share:.1%} of the samples"

    return described


SOURCES: Sequence[Source] = (
    Source(
        "openb",
        "pods and nodes of a production GPU cluster, requests and times; published results of the FGD paper",
        "arrivals, node list",
        (
            "openb/openb_pod_list_*.csv*",
            "openb/openb_node_list_*.csv*",
            "openb/fgd_published_results*.csv*",
        ),
        "https://github.com/hkust-adsl/kubernetes-scheduler-simulator at 8f3d6417353c: data/csv and "
        f"experiments/analysis/expected_results; the same lists in {_ALIBABA}: cluster-trace-gpu-v2023/csv",
        "Apache-2.0; Alibaba trace programme: free for research or study purpose",
        'Weng, Yang et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient '
        'Descent", USENIX ATC 2023',
        "lists: none; openb_node_list_gpu_node is the node list without nodes that have no GPU; fgd_published_results "
        "has one row for each workload, policy and 10 % of arrivals: the mean over the seeds",
        _openb,
    ),
    Source(
        "alibaba_dlrm2025",
        "inference of recommendation models on disaggregated GPUs, requests and times, 31 days",
        "arrivals",
        ("alibaba_dlrm2025/disaggregated_DLRM_trace*.csv*",),
        f"{_ALIBABA}: cluster-trace-gpu-v2025/disaggregated_DLRM_trace.csv",
        _ALIBABA_TERMS,
        'Yang et al., "GPU-Disaggregated Serving for Deep Learning Recommendation Models at Scale", NSDI 2025',
        "",
        _dlrm,
    ),
    Source(
        "alibaba_genai2026",
        "GPU and memory use of pods that serve diffusion models, a sample each 57 s, 23 hours",
        "usage series",
        ("alibaba_genai2026/pod_metrics*.parquet",),
        f"{_ALIBABA}: cluster-trace-v2026-GenAI/pod_*_anon.tar.gz",
        _ALIBABA_TERMS,
        'Lin et al., "Understanding Diffusion Model Serving in Production", SoCC 2025',
        "join the metrics by container and time into one parquet file with columns pod, t_s, mem_util (0-1), "
        "gpu_duty_pct, gpu_mem_gib",
        _usage(genai.read_usage),
    ),
    Source(
        "bitbrains_rnd",
        "CPU, memory, disk and network of business virtual machines, a sample each 5 minutes, one month",
        "usage series",
        ("bitbrains_rnd/usage_*.parquet", "bitbrains_rnd/vms_*.csv*"),
        "GWA-T-12 Rnd at http://gwa.ewi.tudelft.nl; a copy in "
        "https://github.com/JessieRayeBauer/Time-Series-Forecasting- at 0901a0da3024: rnd/2013-*/*.csv",
        "Grid Workloads Archive: for researchers and practitioners, with citation",
        'Shen, van Beek, Iosup, "Statistical Characterization of Business-Critical Workloads Hosted in Cloud '
        'Datacenters", CCGrid 2015',
        "one parquet file a month with columns vm, ts (s), cpu_pct, mem_pct (of the median provisioned memory), "
        "disk_r_kbs, disk_w_kbs, net_rx_kbs, net_tx_kbs; vms_MONTH.csv with vm, cores, mem_cap_mib",
        _usage(bitbrains.read_usage),
    ),
    Source(
        "alibaba2018_machines",
        "CPU, memory, disk and network of nodes that run services and batch together, 8 days",
        "usage series",
        ("alibaba2018_machines/machine_usage*.csv*",),
        "https://github.com/alibaba/clusterdata: cluster-trace-v2018; an excerpt in "
        "https://github.com/gohsyi/cluster_optimization at d147f574ff6e: data/machine_usage.csv",
        _ALIBABA_TERMS,
        'Guo et al., "Who Limits the Resource Efficiency of My Datacenter", IWQoS 2019',
        "a header: machine_id, ts, cpu_util_percent, mem_util_percent, mem_gps, mkpi, net_in, net_out, disk_io_percent",
        _usage(alibaba2018.read_usage),
    ),
    Source(
        "dc_aggregates",
        "load of whole data centres (Google Borg 2019, Azure 2019), a sample each 300 s, some weeks",
        "usage series",
        ("dc_aggregates/*.csv*",),
        "https://github.com/alejandrofdez-us/DataCenter-Traces-Datasets at 003bb8e7ce9a: google2019, azure_v2",
        "CC-BY-4.0",
        "Fernandez, doi:10.5281/zenodo.14564847; Tirmazi et al., EuroSys 2020; Cortez et al., SOSP 2017",
        "google2019*.csv with t_s, avg_cpu, avg_mem, avg_assigned_mem; azure2019*.csv with timestamp, cpu_usage, "
        "assigned_mem",
        _usage(aggregates.read_usage),
    ),
    Source(
        "smd",
        "38 metrics a minute of servers, anomalies labelled",
        "labelled metrics",
        ("smd/machine-*.parquet", "smd/machine-*.interpretation.txt"),
        "https://github.com/NetManAIOps/OmniAnomaly at 7fb0e0acf89e: ServerMachineDataset",
        "MIT",
        'Su et al., "Robust Anomaly Detection for Multivariate Time Series through Stochastic Recurrent Neural '
        'Network" (OmniAnomaly), KDD 2019',
        "one parquet file a machine with columns t, split (train or test), label, m01 to m38; interpretation_label as "
        "MACHINE.interpretation.txt",
        _labelled(machine_anomalies.read_smd),
    ),
    Source(
        "asd",
        "19 metrics each 5 minutes of servers, anomalies labelled",
        "labelled metrics",
        ("asd/omi-*.parquet", "asd/omi-*.interpretation.txt", "asd/anomaly_type*.csv*"),
        "https://github.com/zhhlee/InterFusion at 8c85d511c1f0: data",
        "MIT",
        'Li et al., "Multivariate Time Series Anomaly Detection and Interpretation using Hierarchical Inter-Metric and '
        'Temporal Embedding" (InterFusion), KDD 2021',
        "one parquet file a machine with columns t, split (train or test), label, m01 to m19; interpretation_label as "
        "MACHINE.interpretation.txt",
        _labelled(machine_anomalies.read_asd),
    ),
    Source(
        "nab",
        "single metrics of cloud machines, anomalies labelled",
        "labelled metrics",
        ("nab/*.csv*", "nab/*.json"),
        "https://github.com/numenta/NAB at ea702d75cc22: data/realAWSCloudwatch, data/realKnownCause, "
        "labels/combined_windows.json",
        "MIT",
        "Ahmad, Lavin, Purdy, Agha, Neurocomputing 2017, doi:10.1016/j.neucom.2017.04.070",
        "files without windows in combined_windows.json left out",
        _labelled(nab.read_metrics),
    ),
)


def source_named(name: str) -> Source | None:
    """Return the source of that name."""
    return next((source for source in SOURCES if source.name == name), None)


def report(source: Source) -> dict[str, Any]:
    """Return what a user has to know of a source, for JSON."""
    return {
        "name": source.name,
        "holds": source.holds,
        "form": source.form,
        "files": list(source.patterns),
        "original": source.original,
        "terms": source.terms,
        "citation": source.citation,
        "preparation": source.preparation,
    }
