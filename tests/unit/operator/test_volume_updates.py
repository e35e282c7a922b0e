"""What is written into volumes and claims, under every answer and none."""

import random
from typing import Any

import pytest
from aiohttp import web

from hydatis.operator import volume_updates
from hydatis.operator.connection import Connection
from hydatis.operator.volume_updates import Updated, VolumeUpdates
from hydatis.scheduler.instructions import ClaimReference, VolumeForClaim

CLAIM = ClaimReference("shop", "data", "uid-1")
CHOICE = VolumeForClaim("pv-1", CLAIM)
VOLUME_PATH = "/api/v1/persistentvolumes/pv-1"
CLAIM_PATH = "/api/v1/namespaces/shop/persistentvolumeclaims/data"


def volume(version: int = 7, *, owner: Any = None, deleted: bool = False) -> dict[str, Any]:
    metadata = {"name": "pv-1", "uid": "uid-pv", "resourceVersion": str(version)}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {"metadata": metadata, "spec": {"claimRef": owner} if owner else {}}


def owner(name: str = "data", uid: str | None = "uid-1") -> dict[str, Any]:
    reference = {"kind": "PersistentVolumeClaim", "namespace": "shop", "name": name}
    return reference if uid is None else {**reference, "uid": uid}


def claim(version: int = 7, *, node: str = "", bound_to: str = "", **metadata: str) -> dict[str, Any]:
    annotations = {"volume.kubernetes.io/selected-node": node} if node else None
    own = {"namespace": "shop", "name": "data", "uid": "uid-1", "resourceVersion": str(version)}
    spec = {"volumeName": bound_to} if bound_to else {}
    return {"metadata": {**own, "annotations": annotations, **metadata}, "spec": spec}


async def cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


class Rig:
    """Updates against the scripted server."""

    def __init__(self, server: Any, answers: Any, connection: Connection, jitter: random.Random) -> None:
        self.server = server
        self.answers = answers
        self._updates = VolumeUpdates(connection, jitter=jitter)

    def found(self, path: str, *objects: dict[str, Any]) -> None:
        self.server.on("GET", path, *(self.answers(200, one) for one in objects))

    async def claim_volume(self) -> Updated:
        return await self._updates.claim_volume(CHOICE, 3)

    async def select_node(self) -> Updated:
        return await self._updates.select_node(CLAIM, "here")


@pytest.fixture
def rig(server: Any, answers: Any, connection: Connection, jitter: random.Random) -> Rig:
    return Rig(server, answers, connection, jitter)


async def test_a_free_volume_names_the_claim_and_says_that_a_controller_chose_it(rig: Rig) -> None:
    rig.found(VOLUME_PATH, volume())
    rig.server.on("PATCH", VOLUME_PATH, rig.answers(200, volume(8)))
    assert await rig.claim_volume() == Updated(8)
    (patch,) = rig.server.sent("PATCH", VOLUME_PATH)
    assert patch == {
        "metadata": {
            "uid": "uid-pv",
            "resourceVersion": "7",
            "annotations": {"pv.kubernetes.io/bound-by-controller": "yes"},
        },
        "spec": {"claimRef": {"apiVersion": "v1", **owner(), "resourceVersion": "3"}},
    }


async def test_a_volume_promised_to_the_claim_by_name_gets_its_uid_and_stays_a_persons_choice(rig: Rig) -> None:
    rig.found(VOLUME_PATH, volume(owner=owner(uid=None)))
    rig.server.on("PATCH", VOLUME_PATH, rig.answers(200, volume(8)))
    assert await rig.claim_volume() == Updated(8)
    (patch,) = rig.server.sent("PATCH", VOLUME_PATH)
    assert patch["metadata"]["annotations"] == {}
    assert patch["spec"]["claimRef"]["uid"] == "uid-1"


async def test_a_volume_that_names_the_claim_already_is_left_as_it_is(rig: Rig) -> None:
    rig.found(VOLUME_PATH, volume(owner=owner()))
    assert await rig.claim_volume() == Updated(7)
    assert rig.server.sent("PATCH", VOLUME_PATH) == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (volume(owner=owner("other", "uid-2")), 'pv "pv-1" got claimed by "shop/other"'),
        (volume(owner=owner(uid="uid-0")), 'pv "pv-1" got claimed by "shop/data"'),
        (volume(deleted=True), 'pv "pv-1" is being deleted'),
    ],
    ids=["another claim's", "the claim's of that name which was there before", "about to go"],
)
async def test_a_volume_is_not_taken_when_it_is(rig: Rig, found: Any, reason: str) -> None:
    rig.found(VOLUME_PATH, found)
    assert await rig.claim_volume() == Updated(0, reason)
    assert rig.server.sent("PATCH", VOLUME_PATH) == []


async def test_a_claim_to_be_provisioned_names_the_node(rig: Rig) -> None:
    rig.found(CLAIM_PATH, claim())
    rig.server.on("PATCH", CLAIM_PATH, rig.answers(200, claim(8)))
    assert await rig.select_node() == Updated(8)
    (patch,) = rig.server.sent("PATCH", CLAIM_PATH)
    annotations = {"volume.kubernetes.io/selected-node": "here"}
    assert patch == {"metadata": {"uid": "uid-1", "resourceVersion": "7", "annotations": annotations}}


@pytest.mark.parametrize("found", [claim(node="here"), claim(node="here", bound_to="pv-1")], ids=["waits", "is bound"])
async def test_a_claim_that_names_the_node_already_is_left_as_it_is(rig: Rig, found: Any) -> None:
    rig.found(CLAIM_PATH, found)
    assert await rig.select_node() == Updated(7)
    assert rig.server.sent("PATCH", CLAIM_PATH) == []


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (claim(node="there"), 'PVC "data" is being provisioned for node "there"'),
        (claim(bound_to="pv-1"), 'PVC "data" got bound to pv "pv-1"'),
        (claim(uid="uid-2"), 'PVC "data" was deleted and created anew'),
        (claim(deletionTimestamp="2026-01-01T00:00:00Z"), 'PVC "data" is being deleted'),
    ],
    ids=["for another node", "bound without a node", "another one of that name", "about to go"],
)
async def test_a_claim_is_not_provisioned_when_it_is(rig: Rig, found: Any, reason: str) -> None:
    rig.found(CLAIM_PATH, found)
    assert await rig.select_node() == Updated(0, reason)
    assert rig.server.sent("PATCH", CLAIM_PATH) == []


@pytest.mark.parametrize("fault", ["500", "503", "429", "409", "cut"])
async def test_a_write_without_a_clear_answer_is_read_before_it_is_repeated(rig: Rig, fault: str) -> None:
    rig.found(VOLUME_PATH, volume(), volume(9))
    failed = cut if fault == "cut" else rig.answers(int(fault), {"message": "oops"}, {"Retry-After": "0"})
    rig.server.on("PATCH", VOLUME_PATH, failed, rig.answers(200, volume(10)))
    assert await rig.claim_volume() == Updated(10)
    versions = [patch["metadata"]["resourceVersion"] for patch in rig.server.sent("PATCH", VOLUME_PATH)]
    assert versions == ["7", "9"]


async def test_a_write_that_took_effect_without_an_answer_is_not_repeated(rig: Rig) -> None:
    rig.found(VOLUME_PATH, volume(), volume(8, owner=owner()))
    rig.server.on("PATCH", VOLUME_PATH, cut)
    assert await rig.claim_volume() == Updated(8)
    assert len(rig.server.sent("PATCH", VOLUME_PATH)) == 1


async def test_a_volume_that_somebody_took_in_the_same_instant_is_left_to_them(rig: Rig) -> None:
    rig.found(VOLUME_PATH, volume(), volume(8, owner=owner("other", "uid-2")))
    rig.server.on("PATCH", VOLUME_PATH, rig.answers(409, {"message": "the object has been modified"}))
    assert await rig.claim_volume() == Updated(0, 'pv "pv-1" got claimed by "shop/other"')


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_a_clear_refusal_is_told_in_the_servers_words(rig: Rig, status: int) -> None:
    rig.found(CLAIM_PATH, claim())
    rig.server.on("PATCH", CLAIM_PATH, rig.answers(status, {"message": "because"}))
    assert await rig.select_node() == Updated(0, "because")
    assert len(rig.server.sent("PATCH", CLAIM_PATH)) == 1


async def test_a_server_that_stays_unclear_is_given_up(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_updates, "UPDATE_BUDGET_SECONDS", 0.3)
    rig.server.on("GET", CLAIM_PATH, rig.answers(500, {"message": "etcd is away"}))
    assert await rig.select_node() == Updated(0, "etcd is away")
