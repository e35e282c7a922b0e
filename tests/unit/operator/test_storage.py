"""How far the binding of a claim is, from what the watches show."""

from typing import Any

import numpy as np
import pytest

from hydatis.operator.storage import BOUND, PENDING, StorageView, Verdict
from hydatis.scheduler.events import NodeSeen, StorageKind, StorageSeen
from hydatis.scheduler.instructions import ClaimReference, VolumeForClaim
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import node

CLAIM = ClaimReference("shop", "data", "uid-1")
CHOICE = VolumeForClaim("pv-1", CLAIM)
HERE, ELSEWHERE = (
    {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [zone]}]}]}
    for zone in ("a", "b")
)
NOT_FOUND = 'persistentvolumeclaims "shop/data" not found'


def claim(
    version: int = 5, *, uid: str = "uid-1", volume: str = "", node: str = "", completed: bool = False
) -> dict[str, Any]:
    annotations = {"volume.kubernetes.io/selected-node": node} if node else {}
    annotations |= {"pv.kubernetes.io/bind-completed": "yes"} if completed else {}
    metadata = {"namespace": "shop", "name": "data", "uid": uid, "resourceVersion": str(version)}
    return {"metadata": {**metadata, "annotations": annotations}, "spec": {"volumeName": volume}}


def volume(version: int = 5, *, claim_uid: str | None = "uid-1", selector: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = {} if claim_uid is None else {"claimRef": {"name": "data", "uid": claim_uid}}
    if selector is not None:
        spec["nodeAffinity"] = {"required": selector}
    return {"metadata": {"name": "pv-1", "resourceVersion": str(version)}, "spec": spec}


def shown(*, claims: Any = None, volumes: Any = None) -> StorageView:
    """A view and its core, which know the node `here` in zone a."""
    core = Scheduler(random=np.random.default_rng(1))
    core.handle(NodeSeen(node("here").label("zone", "a").manifest()), 0.0)
    view = StorageView(core)
    if claims is not None:
        view.claim_seen(claims)
    if volumes is not None:
        core.handle(StorageSeen(StorageKind.PERSISTENT_VOLUME, volumes), 0.0)
        view.volume_seen(volumes)
    return view


COMPLETE = claim(volume="pv-1", completed=True)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (shown(claims=COMPLETE, volumes=volume()), BOUND),
        (shown(claims=claim(), volumes=volume()), PENDING),
        (shown(claims=claim(volume="pv-1"), volumes=volume()), PENDING),
        (shown(claims=COMPLETE, volumes=volume(4)), PENDING),
        (shown(claims=COMPLETE, volumes=volume(4, claim_uid=None)), PENDING),
        (shown(claims=COMPLETE, volumes=volume(claim_uid=None)), Verdict(False, 'ClaimRef got reset for pv "pv-1"')),
        (shown(claims=COMPLETE, volumes=volume(claim_uid="")), Verdict(False, 'ClaimRef got reset for pv "pv-1"')),
        (shown(claims=COMPLETE), Verdict(False, 'failed to check binding: persistentvolumes "pv-1" not found')),
        (shown(volumes=volume()), Verdict(False, f"failed to check binding: {NOT_FOUND}")),
        (
            shown(claims=claim(uid="uid-2", volume="pv-1", completed=True), volumes=volume()),
            Verdict(False, f"failed to check binding: {NOT_FOUND}"),
        ),
        (
            shown(claims=claim(volume="pv-2", completed=True), volumes=volume()),
            Verdict(False, 'PVC "data" got bound to pv "pv-2"'),
        ),
        (shown(claims=COMPLETE, volumes=volume(selector=HERE)), BOUND),
        (
            shown(claims=COMPLETE, volumes=volume(selector=ELSEWHERE)),
            Verdict(False, 'pv "pv-1" node affinity doesn\'t match node "here": no matching NodeSelectorTerms'),
        ),
    ],
    ids=[
        "bound when the claim names the volume and the controller has said so",
        "pending while the claim names no volume",
        "pending while the controller has not said so",
        "pending while the watch shows an older volume than was written",
        "an older volume without a claim does not count as reset",
        "failed when the volume names no claim any more",
        "failed when the volume names nobody's claim",
        "failed when the volume is gone",
        "failed when the claim is gone",
        "failed when the claim is another one of the same name",
        "failed when the claim is bound to another volume",
        "bound when the node can reach the volume",
        "failed when the node cannot reach the volume",
    ],
)
def test_a_volume_that_was_chosen_for_a_claim_is(view: StorageView, expected: Verdict) -> None:
    assert view.claimed(CHOICE, 5, "here") == expected


RESET = Verdict(False, 'provisioning failed for PVC "data"')
UNREACHABLE = Verdict(False, 'pv "pv-1" node affinity doesn\'t match node "here": no matching NodeSelectorTerms')


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (shown(claims=claim(volume="pv-1", node="here", completed=True), volumes=volume()), BOUND),
        (shown(claims=claim(node="here")), PENDING),
        (shown(claims=claim(4)), PENDING),
        (shown(claims=claim()), RESET),
        (shown(claims=claim(node="there")), RESET),
        (shown(claims=claim(volume="pv-1", node="here", completed=True)), PENDING),
        (shown(claims=claim(volume="pv-1", node="here"), volumes=volume(selector=ELSEWHERE)), UNREACHABLE),
        (shown(), Verdict(False, f"failed to check provisioning pvc: {NOT_FOUND}")),
    ],
    ids=[
        "bound when its volume is there and the controller has said so",
        "pending while it has no volume",
        "pending while the watch shows an older claim than was written",
        "failed when the provisioner has removed the node",
        "failed when another node was selected",
        "pending while its volume is not seen",
        "failed when the node cannot reach the volume",
        "failed when it is gone",
    ],
)
def test_a_claim_to_be_provisioned_is(view: StorageView, expected: Verdict) -> None:
    assert view.provisioned(CLAIM, 5, "here") == expected


def test_a_node_that_is_gone_is_named() -> None:
    assert shown().node("here") == BOUND
    assert shown().node("nowhere") == Verdict(False, 'failed to get node "nowhere": node "nowhere" not found')


def test_every_change_is_told_by_key() -> None:
    view, told = shown(), list[str]()
    view.changed = told.append
    view.claim_seen(claim())
    view.volume_seen(volume())
    view.claim_gone("shop/data")
    view.volume_gone("pv-1")
    assert told == ["shop/data", "pv-1", "shop/data", "pv-1"]
    assert view.claim(CLAIM) is None
