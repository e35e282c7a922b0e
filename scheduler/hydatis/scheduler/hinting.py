"""Queueing hints: what can help a pod, by the plugins that rejected it.

Made once from what the plugins of a profile declare (kubernetes pkg/scheduler/scheduler.go, buildQueueingHintMap).
"""

from collections.abc import Iterable
from typing import NamedTuple

from hydatis.scheduler.cluster_events import ClusterEvent
from hydatis.scheduler.permitting import PermitPlugin
from hydatis.scheduler.plugins import FilterPlugin, NeighbourFilterPlugin, PreFilterPlugin
from hydatis.scheduler.pod_class import PodClass


class Hint(NamedTuple):
    """Events that can make a pod schedulable."""

    on_its_node: ClusterEvent
    """They can make the node feasible to which they happen."""
    anywhere: ClusterEvent
    """They can make any node feasible, wherever they happen."""


_ANYTHING = Hint(ClusterEvent.NONE, ClusterEvent.everything())


class QueueingHints:
    """The hints of the plugins of one profile."""

    def __init__(
        self,
        prefilters: Iterable[PreFilterPlugin],
        filters: Iterable[FilterPlugin],
        neighbour_filters: Iterable[NeighbourFilterPlugin],
        permits: Iterable[PermitPlugin],
    ) -> None:
        self._of_plugin: dict[str, Hint] = {}
        for before in prefilters:
            self._add(before.name, Hint(ClusterEvent.NONE, before.prefilter_helped_by))
        for plugin in filters:
            self._add(plugin.name, Hint(plugin.helped_by, ClusterEvent.NONE))
        for across in neighbour_filters:
            self._add(across.name, Hint(ClusterEvent.NONE, across.helped_by))
        for permit in permits:
            self._add(permit.name, Hint(ClusterEvent.NONE, permit.helped_by))
        self._known: dict[frozenset[str], Hint] = {frozenset(): _ANYTHING}

    def against(self, plugins: frozenset[str]) -> Hint:
        """Return what can help a pod that these plugins rejected; anything, when none did. What is no plugin, such as
        a feature that is not honoured, nothing helps against.
        """
        hint = self._known.get(plugins)
        if hint is None:
            hints = [self._of_plugin[name] for name in plugins if name in self._of_plugin]
            hint = self._known[plugins] = _joined(hints)
        return hint

    def heeds(self, what: ClusterEvent) -> bool:
        """Tell whether any plugin says that this can help."""
        return any((hint.on_its_node | hint.anywhere) & what for hint in self._of_plugin.values())

    def _add(self, name: str, hint: Hint) -> None:
        known = self._of_plugin.get(name)
        self._of_plugin[name] = hint if known is None else _joined((known, hint))


def _joined(hints: Iterable[Hint]) -> Hint:
    on_its_node = anywhere = ClusterEvent.NONE
    for hint in hints:
        on_its_node |= hint.on_its_node
        anywhere |= hint.anywhere
    return Hint(on_its_node, anywhere)


def own_events(before: PodClass, after: PodClass) -> ClusterEvent:
    """Say how a pod changed itself (kubernetes framework/events.go, PodSchedulingPropertiesChange)."""
    old, new = before.requirements, after.requirements
    known = (
        (ClusterEvent.OWN_LABELS, before.identity is not after.identity),
        (ClusterEvent.OWN_TOLERATIONS, old.tolerations != new.tolerations),
        (ClusterEvent.OWN_REQUESTS, old.requests != new.requests),
    )
    what = ClusterEvent.NONE
    for event, happened in known:
        if happened:
            what |= event
    # The API server lets nothing else of a pod that is not gated change, except what no filter looks at.
    return what or ClusterEvent.everything()
