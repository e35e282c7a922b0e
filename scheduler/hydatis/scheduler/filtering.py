"""Filter: which nodes can run the pod, and, when none can, why not."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import FilterPlugin
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.prefiltering import SearchSpace
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.requirements import Requirements

NO_NODES = "no nodes available to schedule pods"
"""kube-scheduler's message for a cluster without nodes (ErrNoNodesAvailable)."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why no node is feasible."""

    reasons: Mapping[str, int]
    """Reason to number of nodes. A node counts under the first plugin that rejects it, for each of that plugin's
    reasons.
    """
    plugins: frozenset[str]
    resolvable: Rows
    """Nodes that the pod might fit if pods left them; the plugin that rejects a node first decides that."""


def filter_rows(plugins: Iterable[FilterPlugin], requirements: Requirements, cluster: Cluster, rows: Rows) -> BoolArray:
    """Return True for each row that every plugin passes."""
    feasible = np.ones(len(rows), dtype=np.bool_)
    for plugin in plugins:
        feasible &= plugin.filter(requirements, cluster, rows)
    return feasible


def diagnose(profile: Profile, pod: PodClass, cluster: Cluster, space: SearchSpace) -> Diagnosis:
    """Find the first plugin that rejects each node, and its reasons, as kube-scheduler reports them."""
    requirements = pod.requirements
    neighbours = pod.neighbours(cluster.placed, cluster.workloads, profile.spread_defaults)
    reasons: Counter[str] = Counter()
    rejecting = set(space.narrowed_by)
    remaining = space.rows(cluster)
    resolvable: list[Rows] = []
    left_out = cluster.node_count - len(remaining)
    if left_out:
        # schedule_one.go, findNodesThatFitPod: the nodes that PreFilter never let be looked at.
        reasons[f"node(s) didn't satisfy plugin(s) [{' '.join(space.narrowed_by)}]"] = left_out

    def ask(plugins: Iterable[FilterPlugin]) -> None:
        nonlocal remaining
        for plugin in (p for p in plugins if p.applies(requirements)):
            passed = plugin.filter(requirements, cluster, remaining)
            if not passed.all():
                rejecting.add(plugin.name)
                failed = remaining[~passed]
                reasons.update(plugin.reasons(requirements, cluster, failed))
                resolvable.append(failed[~plugin.unresolvable(requirements, cluster, failed)])
                remaining = remaining[passed]

    ask(profile.filters)
    for across in (p for p in profile.neighbour_filters if p.filters(neighbours)):
        passed = across.filter(requirements, neighbours, cluster)[remaining]
        if not passed.all():
            rejecting.add(across.name)
            failed = remaining[~passed]
            reasons.update(across.reasons(requirements, neighbours, cluster, failed))
            resolvable.append(failed[~across.unresolvable(requirements, neighbours, cluster, failed)])
            remaining = remaining[passed]
    ask(profile.last_filters)
    rows = np.sort(np.concatenate(resolvable)) if resolvable else remaining[:0]
    return Diagnosis(dict(reasons), frozenset(rejecting), rows)


def no_nodes_available(nodes: int, reasons: Mapping[str, int]) -> str:
    """Write the FailedScheduling text in kube-scheduler's words (framework/types.go, FitError.Error)."""
    histogram = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    text = f"0/{nodes} nodes are available:"
    return f"{text} {histogram}." if histogram else text
