"""Each plugin names just the events that can undo its rejections (the plugins' EventsToRegister in kube-scheduler)."""

import pytest

from hydatis.scheduler.cluster_events import ClusterEvent as Event
from hydatis.scheduler.profile import Profile

HELPED_BY = {
    "NodeName": {Event.NODE_ADDED},
    "NodeUnschedulable": {Event.NODE_ADDED, Event.NODE_TAINTS, Event.OWN_TOLERATIONS},
    "TaintToleration": {Event.NODE_ADDED, Event.NODE_TAINTS, Event.OWN_TOLERATIONS},
    "NodeAffinity": {Event.NODE_ADDED, Event.NODE_LABELS},
    "NodePorts": {Event.NODE_ADDED, Event.POD_REMOVED},
    "NodeResourcesFit": {Event.NODE_ADDED, Event.NODE_ALLOCATABLE, Event.POD_REMOVED, Event.OWN_REQUESTS},
    "NodeDeclaredFeatures": {Event.NODE_ADDED, Event.NODE_DECLARED_FEATURES},
}


@pytest.mark.parametrize("name", HELPED_BY)
def test_a_plugin_is_helped_by_these_events_and_no_others(name: str) -> None:
    (plugin,) = (plugin for plugin in Profile().row_filters if plugin.name == name)
    assert {event for event in Event if event & plugin.helped_by} == HELPED_BY[name]
