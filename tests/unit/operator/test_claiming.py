"""When a pod with volumes is bound, and when the core gets it back."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np
import pytest

from hydatis.operator.binding import VOLUMES_NOT_BOUND
from hydatis.operator.claiming import Claimer
from hydatis.operator.connection import Connection
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.storage import StorageView
from hydatis.operator.volume_updates import VolumeUpdates
from hydatis.scheduler.decision import Decision, Mode, PodReference
from hydatis.scheduler.events import NodeGone, NodeSeen, StorageKind, StorageSeen
from hydatis.scheduler.instructions import Bind, ClaimReference, VolumeForClaim, VolumesToBind
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import node

WORKERS = 2
RUNNING = 'running PreBind plugin "VolumeBinding": '


def claim(name: str, version: int, *, node: str = "", volume: str = "", completed: bool = False) -> dict[str, Any]:
    annotations = {"volume.kubernetes.io/selected-node": node} if node else {}
    annotations |= {"pv.kubernetes.io/bind-completed": "yes"} if completed else {}
    metadata = {"namespace": "shop", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": {**metadata, "annotations": annotations}, "spec": {"volumeName": volume}}


def volume(name: str, version: int, claimed_by: str = "", required: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = {"nodeAffinity": {"required": required}} if required is not None else {}
    if claimed_by:
        spec["claimRef"] = {"namespace": "shop", "name": claimed_by, "uid": f"uid-{claimed_by}"}
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}, "spec": spec}


def reference(name: str) -> ClaimReference:
    return ClaimReference("shop", name, f"uid-{name}")


def bind(pod: str, *, chosen: Mapping[str, str] | None = None, provision: tuple[str, ...] = ()) -> Bind:
    """`chosen` is volume to claim."""
    named = PodReference("shop", pod, f"uid-{pod}")
    decision = Decision(named, "hydatis", "built-in", 0, Mode.FALLBACK, 1, 1, None, None, {}, frozenset(), 1, 0.0, 0.0)
    pairs = tuple(VolumeForClaim(name, reference(of)) for name, of in (chosen or {}).items())
    return Bind(named, "here", decision, VolumesToBind(pairs, tuple(map(reference, provision))))


class Rig:
    """A claimer in front of the scripted server; its core knows the node `here`, and hears of volumes before it."""

    def __init__(self, server: Any, answers: Any, connection: Connection, jitter: random.Random) -> None:
        self.server = server
        self.answers = answers
        self.core = Scheduler(random=np.random.default_rng(1))
        self.core.handle(NodeSeen(node("here").manifest()), 0.0)
        self.outbox = Outbox(WORKERS)
        self.view = StorageView(self.core)
        self.bound: list[Bind] = []
        self.given_back: list[tuple[Bind, str, str | None]] = []
        self._connection, self._jitter = connection, jitter
        self.claimer = self.with_timeout(30.0)

    def with_timeout(self, seconds: float) -> Claimer:
        self.claimer = Claimer(
            self.outbox,
            VolumeUpdates(self._connection, jitter=self._jitter),
            self.view,
            bind=self.bound.append,
            done=lambda *what: self.given_back.append(what),
            timeout_seconds=seconds,
        )
        return self.claimer

    def stored(self, path: str, before: Any, after: Any) -> None:
        self.server.on("GET", path, self.answers(200, before))
        self.server.on("PATCH", path, self.answers(200, after))

    def see_volume(self, manifest: dict[str, Any]) -> None:
        self.core.handle(StorageSeen(StorageKind.PERSISTENT_VOLUME, manifest), 0.0)
        self.view.volume_seen(manifest)

    def store_claim(self, name: str, **state: Any) -> None:
        """The API server has the claim in version 1, and as version 2 once it is written; the watch shows the first."""
        before = claim(name, 1, **state)
        self.stored(f"/api/v1/namespaces/shop/persistentvolumeclaims/{name}", before, claim(name, 2, node="here"))
        self.view.claim_seen(before)

    def store_volume(self, name: str, claimed_by: str) -> None:
        """The same for a volume."""
        self.stored(f"/api/v1/persistentvolumes/{name}", volume(name, 1), volume(name, 2, claimed_by))
        self.see_volume(volume(name, 1))

    async def written(self) -> None:
        """Until no request is on its way."""
        assert await self.outbox.drain((Lane.CLAIM,), 5)

    @property
    def reasons(self) -> list[str | None]:
        return [reason for _, outcome, reason in self.given_back if outcome == VOLUMES_NOT_BOUND]


@pytest.fixture
async def rig(server: Any, answers: Any, connection: Connection, jitter: random.Random) -> AsyncIterator[Rig]:
    opened = Rig(server, answers, connection, jitter)
    opened.outbox.start()
    yield opened
    opened.claimer.stop()
    await opened.outbox.close()


async def test_a_pod_without_volumes_goes_straight_on(rig: Rig) -> None:
    plain = bind("cart")
    rig.claimer.submit(plain)
    assert rig.bound == [plain]
    assert rig.server.requests == []


async def test_a_pod_is_bound_when_the_watch_shows_the_last_of_its_claims_bound(rig: Rig) -> None:
    rig.store_claim("logs")
    rig.store_volume("pv-1", "logs")
    rig.store_claim("data")
    wanted = bind("cart", chosen={"pv-1": "logs"}, provision=("data",))
    rig.claimer.submit(wanted)
    await rig.written()
    assert rig.claimer.waiting == 1
    rig.see_volume(volume("pv-1", 2, "logs"))
    rig.view.claim_seen(claim("logs", 3, volume="pv-1", completed=True))
    rig.view.claim_seen(claim("data", 2, node="here"))
    assert rig.bound == []
    rig.view.claim_seen(claim("data", 4, node="here", volume="pv-2", completed=True))
    assert rig.bound == [], "the volume may be out of the node's reach"
    rig.see_volume(volume("pv-2", 4, "data"))
    assert rig.bound == [wanted]
    assert rig.claimer.waiting == 0
    assert rig.given_back == []


async def test_a_claim_that_was_bound_meanwhile_is_not_waited_for(rig: Rig) -> None:
    done = claim("data", 2, node="here", volume="pv-1", completed=True)
    rig.server.on("GET", "/api/v1/namespaces/shop/persistentvolumeclaims/data", rig.answers(200, done))
    rig.view.claim_seen(done)
    rig.see_volume(volume("pv-1", 1, "data"))
    rig.claimer.submit(bind("cart", provision=("data",)))
    await rig.written()
    assert len(rig.bound) == 1


async def test_claims_that_cannot_be_written_hold_up_no_other_bind(rig: Rig) -> None:
    for number in range(2 * WORKERS):
        rig.store_claim(f"data-{number}")
        path = f"/api/v1/namespaces/shop/persistentvolumeclaims/data-{number}"
        rig.server.on("PATCH", path, rig.answers(500, {"message": "failed calling webhook"}))
        rig.claimer.submit(bind(f"cart-{number}", provision=(f"data-{number}",)))
    left = asyncio.Event()

    async def plain() -> None:
        left.set()

    rig.outbox.put(Lane.BIND, plain)
    await asyncio.wait_for(left.wait(), 5)
    assert await rig.outbox.drain((Lane.BIND,), 5), "nor the end of the operator"
    assert rig.claimer.waiting == 2 * WORKERS


async def test_pods_that_wait_hold_no_worker(rig: Rig) -> None:
    for number in range(5 * WORKERS):
        rig.store_claim(f"data-{number}")
        rig.claimer.submit(bind(f"cart-{number}", provision=(f"data-{number}",)))
    await rig.written()
    assert rig.claimer.waiting == 5 * WORKERS
    assert rig.outbox.running(Lane.CLAIM) == rig.outbox.waiting(Lane.CLAIM) == 0


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (lambda rig: rig.view.claim_seen(claim("data", 3)), 'provisioning failed for PVC "data"'),
        (
            lambda rig: rig.view.claim_gone("shop/data"),
            'failed to check provisioning pvc: persistentvolumeclaims "shop/data" not found',
        ),
        (
            lambda rig: rig.view.volume_gone("pv-1"),
            'failed to check binding: persistentvolumes "pv-1" not found',
        ),
        (lambda rig: rig.see_volume(volume("pv-1", 3)), 'ClaimRef got reset for pv "pv-1"'),
        (
            lambda rig: rig.see_volume(volume("pv-1", 3, "logs", required={"nodeSelectorTerms": []})),
            'pv "pv-1" node affinity doesn\'t match node "here": no matching NodeSelectorTerms',
        ),
    ],
    ids=[
        "the provisioner removes the node from the claim",
        "the claim is deleted",
        "the volume is deleted",
        "the volume is taken from the claim",
        "the volume cannot be reached from the node",
    ],
)
async def test_the_core_gets_the_pod_back_when(rig: Rig, happens: Any, reason: str) -> None:
    rig.store_claim("logs")
    rig.store_volume("pv-1", "logs")
    rig.store_claim("data")
    rig.claimer.submit(bind("cart", chosen={"pv-1": "logs"}, provision=("data",)))
    await rig.written()
    happens(rig)
    assert rig.reasons == [f"{RUNNING}binding volumes: {reason}"]
    assert rig.claimer.waiting == 0
    rig.view.claim_seen(claim("data", 9, node="here", volume="pv-2", completed=True))
    assert (rig.bound, len(rig.given_back)) == ([], 1), "it is answered once"


async def test_the_core_gets_the_pod_back_when_the_node_goes(rig: Rig) -> None:
    rig.store_claim("data")
    rig.claimer.submit(bind("cart", provision=("data",)))
    await rig.written()
    rig.claimer.node_gone("there")
    assert rig.given_back == []
    rig.core.handle(NodeGone("here"), 0.0)
    rig.claimer.node_gone("here")
    assert rig.reasons == [f'{RUNNING}binding volumes: failed to get node "here": node "here" not found']


async def test_the_core_gets_the_pod_back_when_its_time_is_up(rig: Rig) -> None:
    rig.with_timeout(0.01)
    rig.store_claim("data")
    rig.claimer.submit(bind("cart", provision=("data",)))
    async with asyncio.timeout(5):
        while not rig.given_back:  # noqa: ASYNC110 - told by a plain callback
            await asyncio.sleep(0.005)
    assert rig.reasons == [f"{RUNNING}binding volumes: context deadline exceeded"]


async def test_the_core_gets_the_pod_back_when_the_server_refuses_the_write(rig: Rig) -> None:
    rig.store_claim("data")
    path = "/api/v1/namespaces/shop/persistentvolumeclaims/data"
    rig.server.on("PATCH", path, rig.answers(403, {"message": "not for you"}))
    rig.claimer.submit(bind("cart", provision=("data",)))
    await rig.written()
    assert rig.reasons == [f"{RUNNING}not for you"]


async def test_a_pod_whose_claim_went_before_anything_was_written_leaves_the_volume_alone(rig: Rig) -> None:
    rig.store_volume("pv-1", "logs")
    rig.claimer.submit(bind("cart", chosen={"pv-1": "logs"}))
    await rig.written()
    assert rig.reasons == [f'{RUNNING}persistentvolumeclaims "shop/logs" not found']
    assert rig.server.requests == []


async def test_a_pod_that_makes_way_while_it_waits_goes_back_to_the_core(rig: Rig) -> None:
    rig.store_claim("data")
    wanted = bind("cart", provision=("data",))
    rig.claimer.submit(wanted)
    await rig.written()
    assert not rig.claimer.take_back("uid-another")
    assert rig.claimer.take_back("uid-cart")
    assert rig.given_back == [(wanted, "withdrawn", "preempted by DefaultPreemption")]
    rig.view.claim_seen(claim("data", 4, node="here", volume="pv-2", completed=True))
    assert (rig.claimer.waiting, rig.bound) == (0, [])


async def test_a_pod_that_is_deleted_is_given_up_at_once(rig: Rig) -> None:
    rig.store_claim("data")
    waiting, queued = bind("cart", provision=("data",)), bind("till", provision=("data",))
    rig.claimer.submit(waiting)
    await rig.written()
    rig.claimer.submit(queued)
    sent = len(rig.server.requests)
    rig.claimer.pod_gone("uid-cart")
    rig.claimer.pod_gone("uid-till")
    await rig.written()
    assert rig.given_back == [(one, "gone", "pod does not exist any more") for one in (waiting, queued)]
    assert len(rig.server.requests) == sent, "nothing is written for a pod that is gone"
    rig.view.claim_seen(claim("data", 4, node="here", volume="pv-1", completed=True))
    assert (rig.bound, rig.claimer.waiting) == ([], 0)


async def test_two_pods_with_one_claim_are_both_bound(rig: Rig) -> None:
    rig.store_claim("data", node="here")
    for name in ("cart", "till"):
        rig.claimer.submit(bind(name, provision=("data",)))
    await rig.written()
    rig.see_volume(volume("pv-1", 3, "data"))
    rig.view.claim_seen(claim("data", 4, node="here", volume="pv-1", completed=True))
    assert sorted(one.pod.name for one in rig.bound) == ["cart", "till"]


async def test_a_stop_answers_nothing_and_binds_nothing_more(rig: Rig) -> None:
    rig.store_claim("data")
    rig.claimer.submit(bind("cart", provision=("data",)))
    await rig.written()
    rig.claimer.stop()
    rig.view.claim_seen(claim("data", 3))
    assert (rig.bound, rig.given_back, rig.claimer.waiting) == ([], [], 0)
