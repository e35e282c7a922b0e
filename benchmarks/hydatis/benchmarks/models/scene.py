"""A cluster whose use is measured: nodes in three zones, running pods of many owners, an hour of samples.

The same arguments give the same scene. Use is drawn, not simulated: what a model costs does not depend on what it sees.
"""

import numpy as np

from hydatis.benchmarks.errors import BenchError
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.events import ModelLoaded, NodeSeen, NodesMeasured, PodSeen, PodsMeasured, PolicyInForce
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.policy_mode import PolicyMode
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import PodBuilder, pod
from hydatis.simulations.clusters import uniform_nodes

NODE_CPU_CORES = 32
NODE_MEMORY_GIB = 128
PODS_A_NODE = 6
OWNERS = 300
SAMPLES = 60
"""One a minute."""
_SAMPLE_SECONDS = 60.0
_GIB = 2.0**30
NOW = SAMPLES * _SAMPLE_SECONDS


def build(nodes: int, models: dict[ModelKind, Model], seed: int) -> Scheduler:
    """Return a scheduler that has seen it, under a policy in which the closed form and every model counts alike.

    Raises:
        BenchError: two models have one name.

    """
    if len({model.name for model in models.values()}) < len(models):
        raise BenchError("two models have one name; give the files different names.")
    random = np.random.default_rng(seed)
    scheduler = Scheduler(random=np.random.default_rng(seed))
    manifests = uniform_nodes(nodes, cpu_cores=NODE_CPU_CORES, memory_gib=NODE_MEMORY_GIB)
    names = [manifest["metadata"]["name"] for manifest in manifests]
    for manifest in manifests:
        scheduler.handle(NodeSeen(manifest), 0.0)
    uids = []
    for number in range(nodes * PODS_A_NODE):
        builder = of_owner(f"running-{number}", int(random.integers(OWNERS))).on(names[number % nodes])
        scheduler.handle(PodSeen(builder.manifest()), 0.0)
        uids.append(builder.uid)
    for sample in range(1, SAMPLES + 1):
        at = sample * _SAMPLE_SECONDS
        scheduler.handle(
            NodesMeasured(
                names,
                np.full(nodes, at),
                random.uniform(1000.0, 900.0 * NODE_CPU_CORES, nodes),
                random.uniform(1.0, 0.9 * NODE_MEMORY_GIB, nodes) * _GIB,
            ),
            at,
        )
        # Pods every ten minutes: what is known of owners does not grow with it.
        if sample % 10 == 0:
            count = len(uids)
            use = PodsMeasured(
                uids, np.full(count, at), random.uniform(50.0, 2000.0, count), random.uniform(0.1, 4.0, count) * _GIB
            )
            scheduler.handle(use, at)
    for model in models.values():
        scheduler.handle(ModelLoaded(model), NOW)
    scheduler.handle(PolicyInForce(Policy("measured", mode=PolicyMode.AUTO, ensemble=_weights(models))), NOW)
    return scheduler


def of_owner(name: str, owner: int) -> PodBuilder:
    """Return a pod of this owner. Owners request differently, so that the pods of two are never alike."""
    cpu, memory = 200 + 10 * (owner % 100), 256 + owner
    return pod(name).owned_by("ReplicaSet", f"app-{owner}").requests(cpu=f"{cpu}m", memory=f"{memory}Mi")


def _weights(models: dict[ModelKind, Model]) -> EnsembleWeights:
    named = {kind: model.name for kind, model in models.items()}
    return EnsembleWeights(
        expected_overload=10,
        load=10 if ModelKind.LOAD in named else 0,
        placement=10 if ModelKind.PLACEMENT in named else 0,
        anomaly=10 if ModelKind.ANOMALY in named else 0,
        load_model=named.get(ModelKind.LOAD),
        placement_model=named.get(ModelKind.PLACEMENT),
        anomaly_model=named.get(ModelKind.ANOMALY),
    )
