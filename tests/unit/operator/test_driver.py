"""The driver with the real core: when it decides, and what it does with decisions and answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.connection import Connection
from hydatis.operator.driver import Driver
from hydatis.operator.evicting import Evictor
from hydatis.operator.metrics import Metrics
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.recording import Recorder
from hydatis.scheduler.events import PolicyInForce, StorageKind
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.policy import Policy, PolicyMode
from hydatis.scheduler.queueing import QueueSettings
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.testing import pod as build_pod
from hydatis.scheduler.testing_storage import claim, storage_class, using


def node(name: str, cpu: str = "2") -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}}}


def pod(name: str, cpu: str = "1", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "resources": {"requests": {"cpu": cpu}}}
    return {
        "metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}"},
        "spec": {"schedulerName": "hydatis", "containers": [container], **spec},
        "status": {},
    }


class Rig:
    """A driver whose binds are kept instead of sent."""

    def __init__(self, connection: Connection) -> None:
        self.outbox = Outbox(2)
        self.recorder = Recorder(connection, self.outbox)
        names = frozenset({"hydatis", "packer"})
        self.metrics = Metrics(names)
        settings = Settings(names, QueueSettings(backoff_initial_seconds=0.05))
        core = Scheduler(settings, random=np.random.default_rng(1))
        self.conditions = ConditionWriter(connection, self.outbox)
        self.driver = Driver(core, self.outbox, self.recorder, self.conditions, self.metrics, scheduler_names=names)
        self.binds: list[Bind] = []
        self.driver.submit_bind = self.binds.append
        self.task = asyncio.create_task(self.driver.run())

    async def until_bound(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.binds) < count:  # noqa: ASYNC110 - told by a plain callback
                await asyncio.sleep(0.005)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
async def rig(connection: Connection) -> AsyncIterator[Rig]:
    opened = Rig(connection)
    yield opened
    opened.driver.stop()
    await asyncio.wait_for(opened.task, 5)
    await opened.outbox.close()


async def test_nothing_is_decided_before_everything_is_listed(rig: Rig) -> None:
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await asyncio.sleep(0.05)
    assert rig.binds == []
    rig.driver.open()
    await rig.until_bound(1)
    assert (rig.binds[0].pod.name, rig.binds[0].node) == ("a", "n1")


async def test_pods_of_other_schedulers_count_but_are_not_bound(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1", cpu="1"))
    rig.driver.node_seen(node("n2", cpu="1"))
    rig.driver.pod_seen(pod("theirs", schedulerName="default-scheduler", nodeName="n1"))
    rig.driver.pod_seen(pod("waiting", schedulerName="default-scheduler"))
    rig.driver.pod_seen(pod("ours"))
    await rig.until_bound(1)
    await asyncio.sleep(0.02)
    assert [(bind.pod.name, bind.node) for bind in rig.binds] == [("ours", "n2")]


async def test_a_finished_pod_that_slipped_through_the_selector_gives_its_room_back(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1", cpu="1"))
    rig.driver.pod_seen(pod("old", nodeName="n1"))
    rig.driver.pod_seen(pod("new"))
    await asyncio.sleep(0.05)
    assert rig.binds == []
    rig.driver.pod_seen({**pod("old", nodeName="n1"), "status": {"phase": "Succeeded"}})
    await rig.until_bound(1)


async def test_a_bind_that_failed_is_tried_again_after_its_backoff_and_told(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await rig.until_bound(1)
    rig.driver.bind_done(rig.binds[0], "conflict", "the pod is bound to n9")
    await rig.until_bound(2)
    assert rig.outbox.waiting(Lane.EVENT) == 1
    assert rig.value("scheduler_schedule_attempts_total", result="error", profile="hydatis") == 1.0
    rig.driver.bind_done(rig.binds[1], "bound", None)
    assert rig.value("scheduler_schedule_attempts_total", result="scheduled", profile="hydatis") == 1.0
    assert rig.value("scheduler_pod_scheduling_sli_duration_seconds_count", attempts="2") == 1.0
    assert rig.value("hydatis_bind_outcomes_total", outcome="bound") == 1.0


async def test_an_unschedulable_pod_gets_condition_and_event_and_a_node_that_fits_brings_it_back(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1", cpu="1"))
    rig.driver.pod_seen(pod("large", cpu="3"))
    await asyncio.sleep(0.05)
    assert rig.outbox.waiting(Lane.CONDITION) == 1
    assert rig.outbox.waiting(Lane.EVENT) == 1
    assert rig.value("scheduler_schedule_attempts_total", result="unschedulable", profile="hydatis") == 1.0
    rig.driver.node_seen(node("n2", cpu="4"))
    await rig.until_bound(1)
    assert rig.binds[0].node == "n2"


async def test_a_pod_of_a_paused_policy_says_so_and_is_bound_when_the_policy_goes_on(
    rig: Rig, server: Any, answers: Any
) -> None:
    path = "/api/v1/namespaces/shop/pods/p/status"
    server.on("PATCH", path, answers(200))
    rig.outbox.start()
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    rig.driver.tell(PolicyInForce(Policy("batch", mode=PolicyMode.PAUSED)))
    rig.driver.pod_seen(pod("p"))
    async with asyncio.timeout(5):
        while not server.sent("PATCH", path):  # noqa: ASYNC110 - told by a plain callback
            await asyncio.sleep(0.01)
    (condition,) = server.sent("PATCH", path)[0]["status"]["conditions"]
    assert (condition["reason"], rig.binds) == ("SchedulingPaused", [])
    assert condition["message"].startswith("Scheduling is paused by the policy batch.")
    rig.driver.tell(PolicyInForce(Policy("batch")))
    await rig.until_bound(1)


async def test_a_pod_that_waits_for_its_volumes_names_its_node_until_it_is_bound_or_fails(
    rig: Rig, server: Any, answers: Any
) -> None:
    path = "/api/v1/namespaces/default/pods/a/status"
    server.on("PATCH", path, answers(200))
    rig.outbox.start()
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    waiting, data = storage_class("waiting", "csi.example.com"), claim("data", "waiting")
    rig.driver.storage_seen(StorageKind.STORAGE_CLASS, waiting)
    rig.driver.storage_seen(StorageKind.PERSISTENT_VOLUME_CLAIM, data)
    manifest = using(build_pod("a"), "data").manifest()
    rig.driver.pod_seen(manifest)
    await rig.until_bound(1)
    assert rig.binds[0].volumes
    assert await rig.outbox.drain((Lane.CONDITION,), 5)
    assert [body["status"] for body in server.sent("PATCH", path)] == [{"nominatedNodeName": "n1"}]
    rig.driver.bind_done(rig.binds[0], "volumes_not_bound", "it took too long")
    assert await rig.outbox.drain((Lane.CONDITION,), 5)
    assert server.sent("PATCH", path)[-1]["status"]["nominatedNodeName"] is None


async def told_of_failed_bind(rig: Rig, server: Any, answers: Any, outcome: str) -> list[Any]:
    """The status written of a pod whose bind ended like this."""
    path = "/api/v1/namespaces/shop/pods/a/status"
    server.on("PATCH", path, answers(200))
    rig.driver.bind_done(rig.binds[0], outcome, "something happened")
    rig.outbox.start()
    assert await rig.outbox.drain((Lane.CONDITION,), 5)
    return [body["status"] for body in server.sent("PATCH", path)]


@pytest.mark.parametrize("outcome", ["rejected", "throttled", "not_bound_after_read", "volumes_not_bound", "withdrawn"])
async def test_a_pod_that_could_not_be_bound_says_so_in_its_condition(
    rig: Rig, server: Any, answers: Any, outcome: str
) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await rig.until_bound(1)
    (status,) = await told_of_failed_bind(rig, server, answers, outcome)
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "SchedulerError")
    assert condition["message"].startswith("Binding to node n1 ")


@pytest.mark.parametrize(
    ("outcome", "meanwhile"),
    [
        ("gone", {}),
        ("conflict", {}),
        ("volumes_not_bound", {"spec": {"nodeName": "n9"}}),
        ("volumes_not_bound", {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
    ],
)
async def test_a_pod_that_somebody_else_bound_or_deletes_gets_no_condition(
    rig: Rig, server: Any, answers: Any, outcome: str, meanwhile: dict[str, Any]
) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await rig.until_bound(1)
    for part, change in meanwhile.items():
        rig.driver.pod_seen({**pod("a"), part: {**pod("a")[part], **change}})
    assert await told_of_failed_bind(rig, server, answers, outcome) == []


async def test_a_condition_that_has_not_left_is_dropped_when_its_pod_gets_a_node(
    rig: Rig, server: Any, answers: Any
) -> None:
    path = "/api/v1/namespaces/shop/pods/large/status"
    server.on("PATCH", path, answers(200))
    rig.driver.open()
    rig.driver.node_seen(node("n1", cpu="1"))
    rig.driver.pod_seen(pod("large", cpu="3"))
    await asyncio.sleep(0.05)
    assert rig.outbox.waiting(Lane.CONDITION) == 1
    rig.driver.node_seen(node("n2", cpu="4"))
    await rig.until_bound(1)
    rig.outbox.start()
    assert await rig.outbox.drain((Lane.CONDITION,), 5)
    assert server.sent("PATCH", path) == [], "it would say PodScheduled=False of a pod that is bound by then"


async def test_a_pod_that_is_not_bound_yet_makes_way_without_being_deleted(rig: Rig, connection: Connection) -> None:
    def take_back(uid: str) -> bool:
        rig.driver.bind_done(rig.binds[0], "withdrawn", "preempted by DefaultPreemption")
        return uid == "uid-low"

    evictor = Evictor(connection, rig.outbox, rig.recorder, rig.driver.preemption_failed, take_back=take_back)
    rig.driver.submit_preemption = evictor.submit
    rig.driver.open()
    rig.driver.node_seen(node("n1", cpu="1"))
    rig.driver.pod_seen(pod("low", priority=1))
    await rig.until_bound(1)
    rig.driver.pod_seen(pod("high", priority=10))
    await rig.until_bound(2)
    assert (rig.binds[1].pod.name, rig.binds[1].node) == ("high", "n1")
    assert rig.outbox.waiting(Lane.EVICTION) == 0
    assert rig.driver.core.is_pending("uid-low")


async def test_evictions_that_never_left_are_decided_anew_after_a_restart(connection: Connection) -> None:
    asked: list[int] = []
    for _ in range(2):
        rig = Rig(connection)
        evictor = Evictor(connection, rig.outbox, rig.recorder, rig.driver.preemption_failed)
        rig.driver.submit_preemption = evictor.submit
        # The first process may have written the nomination and the condition, and then stopped before the deletion.
        told = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
        rig.driver.node_seen(node("n1", cpu="1"))
        rig.driver.pod_seen(
            {**pod("low", priority=1, nodeName="n1"), "status": {"conditions": [told]} if asked else {}}
        )
        rig.driver.pod_seen({**pod("high", priority=10), "status": {"nominatedNodeName": "n1"} if asked else {}})
        rig.driver.open()
        async with asyncio.timeout(5):
            while not rig.outbox.waiting(Lane.EVICTION):  # noqa: ASYNC110 - told by a plain callback
                await asyncio.sleep(0.005)
        asked.append(rig.outbox.waiting(Lane.EVICTION))
        rig.driver.stop()
        await asyncio.wait_for(rig.task, 5)
        await rig.outbox.close()
    assert asked == [1, 1]


async def test_a_pod_counts_under_its_own_scheduler_name(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    rig.driver.pod_seen(pod("b", schedulerName="packer"))
    rig.driver.pod_seen(pod("large", cpu="9", schedulerName="packer"))
    await rig.until_bound(2)
    for bind in rig.binds:
        rig.driver.bind_done(bind, "bound", None)
    await asyncio.sleep(0.02)
    attempts = "scheduler_schedule_attempts_total"
    assert rig.value(attempts, result="scheduled", profile="hydatis") == 1.0
    assert rig.value(attempts, result="scheduled", profile="packer") == 1.0
    assert rig.value(attempts, result="unschedulable", profile="packer") == 1.0


async def test_deciding_stops_while_too_many_binds_wait_and_goes_on_when_they_leave(rig: Rig) -> None:
    async def sent() -> None:
        await asyncio.sleep(0)

    def queue(bind: Bind) -> None:
        rig.binds.append(bind)
        rig.outbox.put(Lane.BIND, sent)

    rig.driver.submit_bind = queue
    rig.driver.node_seen(node("n1", cpu="100"))
    for number in range(40):
        rig.driver.pod_seen(pod(f"p{number}"))
    rig.driver.open()
    await asyncio.sleep(0.05)
    assert len(rig.binds) == 8, "four for each of the two workers"
    rig.outbox.start()
    await rig.until_bound(40)


async def test_an_object_the_core_cannot_take_is_counted_and_the_rest_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.driver.open()
    rig.driver.node_seen({"metadata": {}})
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await rig.until_bound(1)
    assert rig.value("hydatis_core_faults_total", doing="handle") == 1.0
    assert "goes on without this event" in caplog.text


async def test_stopping_decides_no_more(rig: Rig) -> None:
    rig.driver.open()
    rig.driver.stop()
    rig.driver.node_seen(node("n1"))
    rig.driver.pod_seen(pod("a"))
    await asyncio.wait_for(rig.task, 1)
    assert rig.binds == []
