"""The simulation's side: the decision core under the policy KubeScheduler, set up as a run sets it up."""

import numpy as np

from hydatis.sandbox.replaying.history import History
from hydatis.scheduler import events
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.simulations.sweeps.one_run import profile_of
from hydatis.simulations.virtual_time.manifests import SCHEDULER_NAME

POLICY = "KubeScheduler"
_TIES, _ORDER = 0, 3
"""Streams of a run's seed (`virtual_time.running`): how ties fall, and in which order nodes are seen."""


def scheduler_for(history: History, seed: int) -> Scheduler:
    """Return a core that knows namespaces, ReplicaSets and nodes, and no pod."""
    scheduler = Scheduler(
        Settings(frozenset({SCHEDULER_NAME})),
        random=np.random.default_rng([seed, _TIES]),
        profile=profile_of(POLICY, history.workload, seed),
    )
    for namespace in history.namespaces:
        scheduler.handle(events.NamespaceSeen({"metadata": {"name": namespace}}), 0.0)
    for owner in history.owners:
        if owner.replica_set is not None:
            scheduler.handle(events.WorkloadSeen(*owner.replica_set), 0.0)
    machines = history.machines
    for node in np.random.default_rng([seed, _ORDER]).permutation(len(machines)).tolist():
        scheduler.handle(events.NodeSeen(machines.manifests[node]), 0.0)
    return scheduler
