"""What /metrics and the probes say, over HTTP as Prometheus and the kubelet ask."""

import random
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hydatis.operator.binding import OUTCOMES
from hydatis.operator.claiming import Claimer
from hydatis.operator.collecting import Collection
from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.connection import Connection
from hydatis.operator.decisions import DecisionLog
from hydatis.operator.errors import Misconfigured
from hydatis.operator.metrics import Metrics, process_age_seconds
from hydatis.operator.outbox import Outbox
from hydatis.operator.owner_memory import OwnerMemory
from hydatis.operator.probes import ProbeServer
from hydatis.operator.recording import Recorder
from hydatis.operator.storage import StorageView
from hydatis.operator.volume_updates import VolumeUpdates
from hydatis.operator.watching import Stream, Watched
from hydatis.scheduler.decision import Decision, Mode, NodeScore, PodReference
from hydatis.scheduler.scheduler import Scheduler

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "metrics.md"


class Rig:
    """All metrics behind a served port."""

    def __init__(self, connection: Connection, jitter: random.Random) -> None:
        self.problems = {"pods": "", "nodes": ""}
        self.metrics = Metrics(["hydatis"])
        outbox = Outbox(2)
        watched = Watched("pods", "/pods", key=str, seen=lambda _: None, gone=lambda _: None)
        core = Scheduler(random=np.random.default_rng(1))
        collection = Collection(
            core,
            outbox,
            claimer=Claimer(
                outbox,
                VolumeUpdates(connection, jitter=jitter),
                StorageView(core),
                bind=lambda _: None,
                done=lambda *_: None,
            ),
            recorder=Recorder(connection, outbox),
            conditions=ConditionWriter(connection, outbox),
            streams=[Stream(connection, watched, jitter=jitter)],
            decisions=DecisionLog(),
            memory=OwnerMemory(connection, core.cluster.load.owners, lambda _: None, namespace="hydatis-system"),
        )
        self.metrics.collect_from(collection.collect)
        self.server = ProbeServer(self.metrics, health=dict, readiness=lambda: self.problems)
        self.url = ""

    async def get(self, path: str) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            return response.status, await response.text()


@pytest.fixture
async def rig(connection: Connection, jitter: random.Random) -> AsyncIterator[Rig]:
    opened = Rig(connection, jitter)
    opened.url = f"http://{await opened.server.start('127.0.0.1', 0)}"
    yield opened
    await opened.server.stop()


async def test_every_metric_is_documented_and_every_documented_metric_exists(rig: Rig) -> None:
    status, text = await rig.get("/metrics")
    assert status == 200
    families = {family.name for family in text_string_to_metric_families(text)}
    ours = {name for name in families if name.startswith(("scheduler_", "hydatis_")) and not name.endswith("_created")}
    documented = {
        name.removesuffix("_total")
        for name in re.findall(r"^\| `((?:scheduler|hydatis)_\w+)`", DOCUMENTATION.read_text(), re.M)
    }
    assert ours == documented


async def test_a_bind_counts_once_under_each_name(rig: Rig) -> None:
    pod = PodReference("shop", "cart", "uid")
    decision = Decision(pod, "hydatis", "built-in", 0, Mode.FALLBACK, 1, 1, None, None, {}, frozenset(), 17, 10.0, 12.0)
    for outcome in OUTCOMES:
        rig.metrics.bind_ended(outcome, decision, 12.5)
    value = rig.metrics.registry.get_sample_value
    assert value("scheduler_schedule_attempts_total", {"result": "scheduled", "profile": "hydatis"}) == 2
    assert value("scheduler_schedule_attempts_total", {"result": "error", "profile": "hydatis"}) == len(OUTCOMES) - 2
    assert value("scheduler_pod_scheduling_sli_duration_seconds_sum", {"attempts": "15+"}) == 5.0
    labels = {"result": "scheduled", "profile": "hydatis"}
    assert value("scheduler_scheduling_attempt_duration_seconds_sum", labels) == 1.0


async def test_what_a_watching_ensemble_would_have_done_is_counted_for_pods_that_were_bound(rig: Rig) -> None:
    pod, here, there = PodReference("shop", "cart", "uid"), NodeScore("a", 5, ()), NodeScore("b", 7, ())
    decision = Decision(pod, "hydatis", "p", 0, Mode.FALLBACK, 2, 2, here, None, {}, frozenset(), 1, 10.0, 12.0)
    for outcome, shadow in (("bound", here), ("bound", there), ("bound", there), ("conflict", there), ("bound", None)):
        rig.metrics.bind_ended(outcome, replace(decision, shadow=shadow), 12.5)
    value = rig.metrics.registry.get_sample_value
    assert value("hydatis_shadow_decisions_total", {"node": "same"}) == 1
    assert value("hydatis_shadow_decisions_total", {"node": "other"}) == 2


async def test_a_probe_names_the_check_that_failed(rig: Rig) -> None:
    assert (await rig.get("/readyz"))[0] == 200
    rig.problems["nodes"] = "not listed yet"
    status, body = await rig.get("/readyz")
    assert status == 503
    assert '"nodes": "not listed yet"' in body
    assert '"pods": "ok"' in body
    assert (await rig.get("/healthz"))[0] == 200


async def test_a_port_in_use_is_one_sentence(connection: Connection, jitter: random.Random) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = Rig(connection, jitter).server
        with pytest.raises(Misconfigured, match=r"--listen 127\.0\.0\.1:\d+ cannot be used: address already in use"):
            await server.start("127.0.0.1", taken.getsockname()[1])


def test_the_age_of_the_process_is_known() -> None:
    assert 0 < process_age_seconds() < 24 * 3600
