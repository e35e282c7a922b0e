"""Fits the generator's parameters to recorded traces.

Called by `hydatis synthetic fit`. Two things are not in the traces and have stand-ins: openb names no owners, so pods
that ask for exactly the same count as one owner's; its weekdays are days of a week whose first day is not known.
"""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Float64Array, Int64Array
from hydatis.simulations.synthetic.fitting_usage import fit_gpu_usage, fit_machine_load, fit_usage
from hydatis.simulations.synthetic.parameters import ArrivalRate, NodeShape, Owners, Parameters, RequestKind
from hydatis.simulations.synthetic.quantiles import Quantiles, hill_index, normal_scores
from hydatis.simulations.traces import alibaba2018, bitbrains, genai, openb
from hydatis.simulations.traces.folder import DataFolder
from hydatis.simulations.traces.forms import WHOLE_GPU_MILLI, Arrivals, NodeList

SOURCES = ("openb", "bitbrains_rnd", "alibaba_genai2026", "alibaba2018_machines")
_LEAST_SHARE_OF_NODES = 0.002
"""Rarer node shapes are left out."""
_LEAST_PODS_OF_AN_OWNER = 5


def fit(folder: DataFolder, fitted_on: date) -> Parameters:
    """Fit everything to the traces of a folder. Raises `TraceError`."""
    _, pods = openb.split_initial(openb.read_pods(folder))
    return Parameters(
        provenance=_provenance(folder, fitted_on),
        arrival_rate=fit_arrival_rate(pods),
        kinds=tuple(_fit_kind(name, pods, those) for name, those in kinds_of(pods).items() if those.any()),
        owners=_fit_owners(pods),
        usage=fit_usage(bitbrains.read_usage(folder)),
        gpu_usage=fit_gpu_usage(genai.read_usage(folder)),
        nodes=fit_nodes(openb.read_nodes(folder)),
        machine_load=fit_machine_load(alibaba2018.read_usage(folder)),
    )


def kinds_of(pods: Arrivals) -> dict[str, BoolArray]:
    """Tell pods by what they want of GPUs."""
    return {
        "no-gpu": pods.gpus == 0,
        "shared-gpu": (pods.gpus == 1) & (pods.gpu_milli < WHOLE_GPU_MILLI),
        "one-gpu": (pods.gpus == 1) & (pods.gpu_milli == WHOLE_GPU_MILLI),
        "many-gpus": pods.gpus > 1,
    }


def fit_arrival_rate(pods: Arrivals) -> ArrivalRate:
    """Fit profiles and the variation around them to the hourly counts of whole days."""
    counts = _hourly_counts(pods)
    by_day = counts.reshape(-1, 24)
    hour_profile = by_day.mean(axis=0) / counts.mean()
    weekdays = np.arange(len(by_day)) % 7
    weekday_profile = np.array([by_day[weekdays == day].mean() for day in range(min(7, len(by_day)))])
    weekday_profile = np.resize(weekday_profile / weekday_profile.mean(), 7)
    expected = counts.mean() * np.tile(hour_profile, len(by_day)) * np.repeat(weekday_profile[weekdays], 24)
    residual = counts - expected
    dispersion = max(0.0, float((residual**2 - counts).mean() / (expected**2).mean()))
    shared = max(0.0, float((residual[1:] * residual[:-1]).mean() / (expected[1:] * expected[:-1]).mean()))
    persistence = np.log1p(shared) / np.log1p(dispersion) if dispersion else 0.0
    return ArrivalRate(
        per_day=round(float(by_day.sum(axis=1).mean()), 2),
        hour_profile=_rounded(hour_profile),
        weekday_profile=_rounded(weekday_profile),
        dispersion=round(dispersion, 4),
        persistence=round(float(min(persistence, 0.99)), 4),
    )


def fit_nodes(nodes: NodeList) -> tuple[NodeShape, ...]:
    """Count node shapes, the most frequent first, rare ones left out."""
    columns = zip(
        nodes.cpu_millicores.tolist(), nodes.memory_mib.tolist(), nodes.gpus.tolist(), nodes.gpu_models, strict=True
    )
    counts: dict[tuple[int, int, int, str], int] = {}
    for shape in columns:
        counts[shape] = counts.get(shape, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(shape, count) for shape, count in ordered if count / len(nodes) >= _LEAST_SHARE_OF_NODES]
    total = sum(count for _, count in kept)
    return tuple(NodeShape(round(count / total, 4), *shape) for shape, count in kept)


def _hourly_counts(pods: Arrivals) -> Float64Array:
    first = np.floor(pods.created_seconds.min() / 86_400)
    days = int(np.floor(pods.created_seconds.max() / 86_400) - first)
    hours = np.floor((pods.created_seconds - first * 86_400) / 3600).astype(np.int64)
    # The last day may be cut short, unless it is the only one.
    wanted = max(days, 1) * 24
    return np.bincount(hours, minlength=wanted)[:wanted].astype(np.float64)


def _fit_kind(name: str, pods: Arrivals, those: BoolArray) -> RequestKind:
    of = pods.where(those)
    lifetimes = of.lifetimes_seconds[np.isfinite(of.lifetimes_seconds)]
    counts, numbers = np.unique(of.gpus, return_counts=True)
    cores = of.cpu_millicores / 1000
    return RequestKind(
        name=name,
        share=round(float(those.mean()), 4),
        best_effort_share=round(sum(qos == "BE" for qos in of.qos) / len(of), 4),
        gpu_counts=tuple((int(c), round(int(n) / len(of), 4)) for c, n in zip(counts, numbers, strict=True)),
        gpu_milli=Quantiles.of(of.gpu_milli),
        cpu_millicores=Quantiles.of(of.cpu_millicores),
        memory_mib_per_core=Quantiles.of(of.memory_mib[cores > 0] / cores[cores > 0]),
        lifetime_seconds=Quantiles.of(lifetimes, tail_index=round(hill_index(lifetimes), 3)),
    )


def _fit_owners(pods: Arrivals) -> Owners:
    owners = _stand_in_owners(pods)
    counts = np.sort(np.unique(owners, return_counts=True)[1])[::-1]
    counts = counts[counts >= _LEAST_PODS_OF_AN_OWNER]
    ranks = np.log(np.arange(1, len(counts) + 1))
    # Each rank counts as much as it has pods: the many small owners matter little.
    slope = np.polyfit(ranks, np.log(counts), 1, w=np.sqrt(counts))[0]
    lifetimes = pods.lifetimes_seconds
    return Owners(round(float(-slope), 3), round(_correlation_within(owners, lifetimes, kinds_of(pods).values()), 3))


def _stand_in_owners(pods: Arrivals) -> Int64Array:
    requests = zip(
        pods.cpu_millicores.tolist(), pods.memory_mib.tolist(), pods.gpus.tolist(), pods.gpu_milli.tolist(), pods.qos,
        strict=True,
    )  # fmt: skip
    numbers: dict[Any, int] = {}
    return np.array([numbers.setdefault(request, len(numbers)) for request in requests], dtype=np.int64)


def _correlation_within(owners: Int64Array, lifetimes: Float64Array, kinds: Any) -> float:
    """Return the correlation of two lifetimes of one owner, as normal scores within their kind.

    By analysis of variance.
    """
    scores, groups = [], []
    for those in kinds:
        known = those & np.isfinite(lifetimes)
        if known.sum() > 1:
            scores.append(normal_scores(lifetimes[known]))
            groups.append(owners[known])
    score, owner = np.concatenate(scores), np.concatenate(groups)
    _, number, counts = np.unique(owner, return_inverse=True, return_counts=True)
    kept = counts[number] >= _LEAST_PODS_OF_AN_OWNER
    score, number = score[kept], number[kept]
    _, number, counts = np.unique(number, return_inverse=True, return_counts=True)
    if len(counts) < 2:
        return 0.0
    means = np.bincount(number, score) / counts
    within = float(((score - means[number]) ** 2).sum() / (len(score) - len(counts)))
    between = float((counts * (means - score.mean()) ** 2).sum() / (len(counts) - 1))
    size = (len(score) - (counts**2).sum() / len(score)) / (len(counts) - 1)
    shared = max(0.0, (between - within) / float(size))
    return shared / (shared + within)


def _provenance(folder: DataFolder, fitted_on: date) -> dict[str, Any]:
    files = sorted(path for source in SOURCES for path in (folder.path / source).glob("*") if path.is_file())
    return {
        "fitted_on": fitted_on.isoformat(),
        "by": "hydatis synthetic fit",
        "method": {
            "arrivals": "openb from day 115: hourly counts, profiles by mean, variation by moments",
            "requests, lifetimes": "openb from day 115: quantiles by kind; Hill's estimator for the tails",
            "owners": "openb: pods that ask for exactly the same stand for one owner",
            "usage": "Bitbrains: traits of each virtual machine, their quantiles and correlations",
            "gpu_usage": "Alibaba GenAI 2026: means and variation by pod",
            "nodes": "openb: shapes with their shares",
            "machine_load": "Alibaba 2018 machines",
        },
        "sha256": {
            path.relative_to(folder.path).as_posix(): hashlib.sha256(folder.read(path)).hexdigest() for path in files
        },
    }


def _rounded(values: Sequence[float] | Float64Array) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
