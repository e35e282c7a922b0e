"""What happened to which node, as pods that wait see it."""

from typing import Any

import pytest

from hydatis.scheduler.cluster_events import EVERYWHERE, ClusterEvent, EventLog
from hydatis.scheduler.testing import cluster_of, node, place, pod


def _rows(log: EventLog, position: int, wanted: ClusterEvent) -> list[int] | None:
    rows = log.since(position).rows(wanted)
    return None if rows is None else sorted(rows.tolist())


def test_a_reader_gets_the_rows_to_which_what_it_wants_happened() -> None:
    log = EventLog()
    log.append(3, ClusterEvent.NODE_LABELS)
    seen = log.position
    log.append(1, ClusterEvent.POD_REMOVED)
    log.append(2, ClusterEvent.POD_PLACED)
    log.append(1, ClusterEvent.NODE_TAINTS)
    assert _rows(log, seen, ClusterEvent.NODE_TAINTS | ClusterEvent.POD_PLACED) == [1, 2]
    assert _rows(log, seen, ClusterEvent.NODE_LABELS) == []
    assert _rows(log, log.position, ClusterEvent.everything()) == []


def test_what_happens_everywhere_concerns_all_rows() -> None:
    log = EventLog()
    log.append(1, ClusterEvent.POD_REMOVED)
    log.append(EVERYWHERE, ClusterEvent.STORAGE_CLASS)
    assert _rows(log, 0, ClusterEvent.STORAGE_CLASS | ClusterEvent.POD_REMOVED) is None
    assert _rows(log, 0, ClusterEvent.POD_REMOVED) == [1]


def test_a_reader_too_far_behind_takes_it_that_everything_happened() -> None:
    log = EventLog()
    for _ in range(20_000):
        log.append(1, ClusterEvent.POD_PLACED)
    assert _rows(log, 0, ClusterEvent.NODE_LABELS) is None
    assert _rows(log, log.position - 1, ClusterEvent.NODE_LABELS) == []
    assert log.position == 20_000


def _heartbeat() -> dict[str, Any]:
    manifest = node("n").manifest()
    manifest["metadata"]["annotations"] = {"seen": "now"}
    manifest["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastHeartbeatTime": "now"}]
    return manifest


_UPDATES = {
    "a heartbeat and an annotation": (_heartbeat(), ClusterEvent.NONE),
    "an image": (node("n").image("web:1", 10).manifest(), ClusterEvent.NONE),
    "a label": (node("n").label("zone", "a").manifest(), ClusterEvent.NODE_LABELS),
    "a taint": (node("n").taint("gpu").manifest(), ClusterEvent.NODE_TAINTS),
    "a cordon": (node("n").unschedulable().manifest(), ClusterEvent.NODE_TAINTS),
    "allocatable": (node("n").allocatable(cpu="1").manifest(), ClusterEvent.NODE_ALLOCATABLE),
    "a label and a taint": (
        node("n").label("zone", "a").taint("gpu").manifest(),
        ClusterEvent.NODE_LABELS | ClusterEvent.NODE_TAINTS,
    ),
}


@pytest.mark.parametrize(("after", "expected"), _UPDATES.values(), ids=_UPDATES.keys())
def test_an_update_of_a_node_says_what_changed(after: dict[str, Any], expected: ClusterEvent) -> None:
    cluster = cluster_of(node("n"))
    seen = cluster.events.position
    cluster.set_node(after)
    happened = cluster.events.since(seen)
    for event in ClusterEvent:
        assert happened.includes(event) == bool(event & expected), event


def test_nodes_and_pods_that_come_and_go_are_written_down() -> None:
    cluster = cluster_of(node("n"))
    row = cluster.row_of("n")
    assert row is not None
    assert _rows(cluster.events, 0, ClusterEvent.NODE_ADDED) == [row]
    web = pod("web")
    place(cluster, web, "n")
    cluster.remove(web.uid, "n")
    assert _rows(cluster.events, 0, ClusterEvent.POD_PLACED) == [row]
    assert _rows(cluster.events, 0, ClusterEvent.POD_REMOVED) == [row]
    cluster.remove_node("n")
    assert _rows(cluster.events, 0, ClusterEvent.NODE_REMOVED) == [row]
