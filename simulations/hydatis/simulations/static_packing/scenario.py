"""The scenario `fgd-static`: the calibration against the FGD paper's published results.

Called by `hydatis simulate --scenario fgd-static`. Every policy gets the same orders of pods and nodes, one a seed.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hydatis.simulations.baselines.policies import SHARING_GPUS, Surroundings
from hydatis.simulations.baselines.typical_pods import TypicalPods
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.intervals import interval_of
from hydatis.simulations.static_packing.running import Packing, pack
from hydatis.simulations.static_packing.workload import DEMAND, order_of_pods
from hydatis.simulations.synthetic.arrivals import draw_arrivals
from hydatis.simulations.synthetic.nodes import draw_nodes
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.traces import openb
from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.traces.forms import Arrivals, NodeList

NAME = "fgd-static"
SYNTHETIC = "synthetic"
"""The pod list that is made up, for machines without the trace."""
_SYNTHETIC_PODS = 8_000
_SYNTHETIC_NODES = 1_523
_SYNTHETIC_SEED = 2023
_MEASURES = ("gpu_allocation_percent", "cpu_allocation_percent", "memory_allocation_percent", "placed", "dropped")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class StaticWorkload:
    """What is packed where, and what others reached with it."""

    name: str
    nodes: NodeList
    pods: Arrivals
    published: Mapping[str, float]
    """GPU allocation in percent by policy; empty when nothing was published."""


def load(pod_list: str | None, environment: Mapping[str, str] = os.environ) -> StaticWorkload:
    """Load a pod list of openb by its short name, or make one up.

    Without a name it is the first list made for static packing (`multigpu...`), whole in every copy of the trace, or
    else the default list; made up when HYDATIS_DATA is not set.

    Raises:
        TraceError: the trace cannot be read.

    """
    if pod_list == SYNTHETIC or (pod_list is None and not environment.get(DATA_VARIABLE)):
        return _made_up()
    folder = DataFolder.from_environment(environment)
    names = openb.pod_list_names(folder)
    name = pod_list or next((known for known in names if known.startswith("multigpu")), "default")
    published = openb.read_published(folder)
    return StaticWorkload(
        name,
        openb.read_nodes(folder, only_gpu_nodes=True),
        openb.read_pods(folder, name),
        {policy: of.final_percent for (workload, policy), of in published.items() if workload == name},
    )


def run(workload: StaticWorkload, policies: Sequence[str], seeds: Sequence[int], tell: Tell) -> dict[str, Any]:
    """Run every policy with every seed; return the report.

    Raises:
        SimulationError: a policy is not known.

    """
    unknown = [policy for policy in policies if policy not in SHARING_GPUS]
    if unknown:
        raise SimulationError(f"--policies {unknown[0]} is unknown; choose from {', '.join(SHARING_GPUS)}.")
    typical = TypicalPods.of(workload.pods)
    report: dict[str, Any] = {"policies": {}, "runs": {}, "speed": {}, "published": {}}
    for policy in policies:
        packings, seconds = [], []
        for seed in seeds:
            started = time.perf_counter()
            packings.append(run_once(workload, policy, seed, typical))
            seconds.append(time.perf_counter() - started)
            tell(f"{policy}, seed {seed}: {packings[-1].gpu_allocation_percent:.2f} % of GPUs, {seconds[-1]:.1f} s")
        report["policies"][policy] = _measures(packings)
        report["runs"][policy] = [_run(packing, seed) for packing, seed in zip(packings, seeds, strict=True)]
        decisions = sum(packing.placed + packing.dropped for packing in packings)
        report["speed"][policy] = {
            "seconds_a_run": round(sum(seconds) / len(seconds), 2),
            "decisions_a_second": round(decisions / sum(seconds)),
        }
        if policy in workload.published:
            report["published"][policy] = {"gpu_allocation_percent": workload.published[policy]}
    return {"scenario": NAME, "configuration": _configuration(workload, seeds), **report}


def run_once(workload: StaticWorkload, policy: str, seed: int, typical: TypicalPods) -> Packing:
    """Run one policy with one seed. The order of the pods depends on the seed alone, whatever the policy."""
    orders, ties, devices = (np.random.default_rng([seed, stream]) for stream in range(3))
    order = order_of_pods(workload.pods, workload.nodes, orders)
    profile = SHARING_GPUS[policy](Surroundings(typical, devices))
    return pack(workload.nodes, workload.pods, order, profile, ties)


def _measures(packings: Sequence[Packing]) -> dict[str, dict[str, float]]:
    return {
        measure: asdict(interval_of([float(getattr(packing, measure)) for packing in packings]))
        for measure in _MEASURES
    }


def _run(packing: Packing, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        **{measure: getattr(packing, measure) for measure in _MEASURES},
        "arrived_gpu_percent": packing.arrived_percent.tolist(),
        "allocated_gpu_percent": packing.allocated_percent.round(3).tolist(),
    }


def _configuration(workload: StaticWorkload, seeds: Sequence[int]) -> dict[str, Any]:
    return {
        "pod_list": workload.name,
        "pods": len(workload.pods),
        "nodes": len(workload.nodes),
        "gpus": int(workload.nodes.gpus.sum()),
        "gpu_demand": DEMAND,
        "seeds": list(seeds),
    }


def _made_up() -> StaticWorkload:
    """Make up as many pods and nodes as the trace has, the same every time: seeds differ in the order alone."""
    parameters, random = Parameters.shipped(), np.random.default_rng(_SYNTHETIC_SEED)
    owners = draw_owners(parameters, 150, random)
    pods = draw_arrivals(parameters, owners, 7, random, per_day=_SYNTHETIC_PODS / 7)
    nodes = draw_nodes(parameters, _SYNTHETIC_NODES, random)
    return StaticWorkload(SYNTHETIC, nodes.where(nodes.gpus > 0), pods, {})
