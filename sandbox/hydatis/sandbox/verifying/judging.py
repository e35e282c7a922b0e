"""The core's side of a comparison: HYDATIS' own plugins asked about a made-up cluster, through the same events that a
driver sends.
"""

import numpy as np

from hydatis.sandbox.verifying.answers import Answer, from_inspection
from hydatis.sandbox.verifying.cases import Cluster, Manifest
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.scheduler.events import Event, NamespaceSeen, NodeSeen, PodSeen, WorkloadSeen
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
    return [from_inspection(scheduler.inspect(candidate)) for candidate in cluster.candidates]


def _event(manifest: Manifest) -> Event:
    """Return the event that tells the core of an object."""
    metadata = manifest["metadata"]
    if manifest["kind"] == "Namespace":
        return NamespaceSeen(manifest)
    return WorkloadSeen(Workload(manifest["kind"], metadata["namespace"], metadata["name"]), manifest)


def plugin_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of the plugins that filter or score, each once, in the order in which they run."""
    prefilters = (plugin.name for plugin in profile.prefilters)
    filters = (*(p.name for p in profile.filters), *(p.name for p in profile.neighbour_filters))
    scores = (*(p.name for p in profile.scores), *(p.name for p in profile.neighbour_scores))
    return tuple(dict.fromkeys((*prefilters, *filters, *scores)))


def restricted(profile: Profile, names: tuple[str, ...]) -> Profile:
    """Return the profile with only the plugins named. Raises `VerifyError` where there is no such plugin."""
    known = plugin_names(profile)
    for name in names:
        if name not in known:
            raise VerifyError(f"--plugin {name} is unknown; choose from {', '.join(known)}.")
    return Profile(
        prefilters=tuple(p for p in profile.prefilters if p.name in names),
        filters=tuple(p for p in profile.filters if p.name in names),
        neighbour_filters=tuple(p for p in profile.neighbour_filters if p.name in names),
        scores=tuple(p for p in profile.scores if p.name in names),
        neighbour_scores=tuple(p for p in profile.neighbour_scores if p.name in names),
        permits=profile.permits,
    )
