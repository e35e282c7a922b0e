"""The core's side of a comparison: HYDATIS' own plugins asked about a made-up cluster, through the same events that a
driver sends.
"""

from dataclasses import replace

import numpy as np

from hydatis.sandbox.verifying.answers import Answer, Decision, from_inspection
from hydatis.sandbox.verifying.cases import Cluster, Manifest
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.scheduler.events import (
    Event,
    NamespaceSeen,
    NodeSeen,
    PodGone,
    PodSeen,
    StorageKind,
    StorageSeen,
    WorkloadSeen,
)
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
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
    for pod in cluster.pods:
        scheduler.handle(PodSeen(pod), _NOW)
    return [
        from_inspection(scheduler.inspect(candidate), _decide(scheduler, candidate)) for candidate in cluster.candidates
    ]


def _decide(scheduler: Scheduler, candidate: Manifest) -> Decision | None:
    """Send the pod through a whole scheduling cycle, and take it away again."""
    if candidate["spec"].get("nodeName"):
        return None
    scheduler.handle(PodSeen(candidate), _NOW)
    instruction = scheduler.schedule_next(_NOW)
    scheduler.handle(PodGone(candidate["metadata"]["uid"]), _NOW)
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
    return tuple(dict.fromkeys((*prefilters, *filter_names(profile), *score_names(profile))))


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
        scores=tuple(plugin for plugin in profile.scores if plugin.name in names),
        reserves=tuple(plugin for plugin in profile.reserves if plugin.name in names),
        neighbour_scores=tuple(plugin for plugin in profile.neighbour_scores if plugin.name in names),
    )
