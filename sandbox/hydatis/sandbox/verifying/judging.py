"""The core's side of a comparison: HYDATIS' own plugins asked about a made-up cluster, through the same events that a
driver sends.
"""

from dataclasses import replace

import numpy as np

from hydatis.sandbox.verifying.answers import Answer, Decision, from_inspection
from hydatis.sandbox.verifying.cases import Cluster, Manifest
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.scheduler.events import (
    DisruptionBudgetSeen,
    Event,
    NamespaceSeen,
    NodeSeen,
    PodGone,
    PodSeen,
    PreemptionFailed,
    StorageKind,
    StorageSeen,
    WorkloadSeen,
)
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.plugins.default_preemption import DefaultPreemption
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.workloads import Workload

_NOW = 0.0


def judge(cluster: Cluster, profile: Profile) -> list[Answer]:
    """Return the core's answer about each candidate."""
    scheduler = Scheduler(random=np.random.default_rng(0), profile=profile)
    for node in cluster.nodes:
        scheduler.handle(NodeSeen(node), _NOW)
    for manifest in cluster.objects:
        scheduler.handle(_event(manifest), _NOW)
    for pod in (*cluster.pods, *cluster.nominated):
        scheduler.handle(PodSeen(pod), _NOW)
    return [_judge(scheduler, cluster, candidate) for candidate in cluster.candidates]


def _judge(scheduler: Scheduler, cluster: Cluster, candidate: Manifest) -> Answer:
    """Ask about the pod, send it through a whole scheduling cycle, and take it away again."""
    if candidate["spec"].get("nodeName"):
        return from_inspection(scheduler.inspect(candidate))
    # What is said of a pod that waits heeds its nomination.
    scheduler.handle(PodSeen(candidate), _NOW)
    inspection = scheduler.inspect(candidate)
    return from_inspection(inspection, _decide(scheduler, cluster, candidate))


def _decide(scheduler: Scheduler, cluster: Cluster, candidate: Manifest) -> Decision:
    instruction = scheduler.schedule_next(_NOW)
    scheduler.handle(PodGone(candidate["metadata"]["uid"]), _NOW)
    if isinstance(instruction, ReportUnschedulable) and instruction.preemption is not None:
        # The next pod is judged on the same cluster, where nobody left or is about to, or lost a nomination.
        for pod in cluster.nominated:
            scheduler.handle(PodGone(pod["metadata"]["uid"]), _NOW)
            scheduler.handle(PodSeen(pod), _NOW)
        victims = frozenset(victim.uid for victim in instruction.preemption.victims)
        scheduler.handle(PreemptionFailed(candidate["metadata"]["uid"], victims), _NOW)
    match instruction:
        case Bind(node=node):
            return Decision(node, None)
        case ReportUnschedulable(message=message):
            return Decision(None, message)
    raise VerifyError(
        f"the core did not look at pod {candidate['metadata']['name']}; "
        "the generator made one that is not for HYDATIS to place"
    )


def _event(manifest: Manifest) -> Event:
    """Return the event that tells the core of an object."""
    metadata = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return NamespaceSeen(manifest)
    if manifest["kind"] in StorageKind.__members__.values():
        return StorageSeen(StorageKind(manifest["kind"]), manifest)
    if manifest["kind"] == "PodDisruptionBudget":
        return DisruptionBudgetSeen(manifest)
    return WorkloadSeen(Workload(manifest["kind"], metadata["namespace"], metadata["name"]), manifest)


def filter_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of the plugins that filter, in the order in which they run."""
    return (
        *(plugin.name for plugin in profile.filters),
        *(plugin.name for plugin in profile.neighbour_filters),
        *(plugin.name for plugin in profile.last_filters),
    )


def score_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of the plugins that score."""
    return (*(plugin.name for plugin in profile.scores), *(plugin.name for plugin in profile.neighbour_scores))


def plugin_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of the plugins that filter or score, each once, in the order in which they run."""
    prefilters = (plugin.name for plugin in profile.prefilters)
    preemption = () if profile.preemption is None else (profile.preemption.name,)
    return tuple(dict.fromkeys((*prefilters, *filter_names(profile), *score_names(profile), *preemption)))


def restricted(profile: Profile, names: tuple[str, ...]) -> Profile:
    """Return the profile with only the plugins named. Raises `VerifyError` where there is no such plugin."""
    known = plugin_names(profile)
    for name in names:
        if name not in known:
            raise VerifyError(f"--plugin {name} is unknown; choose from {', '.join(known)}.")
    return replace(
        profile,
        prefilters=tuple(plugin for plugin in profile.prefilters if plugin.name in names),
        filters=tuple(plugin for plugin in profile.filters if plugin.name in names),
        neighbour_filters=tuple(plugin for plugin in profile.neighbour_filters if plugin.name in names),
        last_filters=tuple(plugin for plugin in profile.last_filters if plugin.name in names),
        preemption=profile.preemption if DefaultPreemption.name in names else None,
        scores=tuple(plugin for plugin in profile.scores if plugin.name in names),
        reserves=tuple(plugin for plugin in profile.reserves if plugin.name in names),
        neighbour_scores=tuple(plugin for plugin in profile.neighbour_scores if plugin.name in names),
    )
