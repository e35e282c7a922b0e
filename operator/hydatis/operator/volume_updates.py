"""Writes the scheduler's choice into PersistentVolumes and their claims, which the controllers then carry out.

`claiming` calls `claim_volume` and `select_node`, from within a job of the outbox. Each reads the object before it
writes, and again before it repeats a write whose outcome is unknown; each write holds for the very version that was
read. So nothing is taken from another claim, and what an earlier attempt wrote, maybe before a restart, is found and
left as it is. The rules: Kubernetes' component-helpers/storage/volume, GetBindVolumeToClaim, and
pkg/scheduler/framework/plugins/volumebinding/binder.go, bindAPIUpdate.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hydatis.operator.connection import Body, Connection, decode
from hydatis.operator.errors import TRANSIENT, ApiError, Conflict, OperatorError, TooManyRequests
from hydatis.operator.storage import SELECTED_NODE
from hydatis.scheduler.instructions import ClaimReference, VolumeForClaim

UPDATE_BUDGET_SECONDS = 30.0
"""How long one object is tried before the core gets the pod back; its backoff then spaces the attempts."""
_BACKOFF_SECONDS = (0.05, 2.0)
_BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
"""On a volume: not a person but Kubernetes chose its claim, so Kubernetes may undo it. The value does not matter."""

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Updated:
    """The object is as it should be from `version` on; with a `reason`, it is not and will not be."""

    version: int
    reason: str = ""


class VolumeUpdates:
    """Reads and patches volumes and claims."""

    def __init__(self, connection: Connection, *, jitter: random.Random) -> None:
        self._connection = connection
        self._jitter = jitter

    async def claim_volume(self, wanted: VolumeForClaim, claim_version: int) -> Updated:
        """Make the volume name its claim; the PersistentVolume controller then makes the claim name the volume."""
        path = f"/api/v1/persistentvolumes/{wanted.volume}"

        async def attempt() -> Updated:
            volume = await self._connection.get(path, resource="persistentvolumes")
            if reason := taken(volume, wanted):
                return _refused(reason)
            return await self._patch(path, "persistentvolumes", volume, claim_patch(volume, wanted, claim_version))

        return await self._settle(attempt)

    async def select_node(self, wanted: ClaimReference, node: str) -> Updated:
        """Make the claim name the node; its provisioner then makes a volume that the node can reach."""
        path = f"/api/v1/namespaces/{wanted.namespace}/persistentvolumeclaims/{wanted.name}"

        async def attempt() -> Updated:
            claim = await self._connection.get(path, resource="persistentvolumeclaims")
            if reason := decided(claim, wanted, node):
                return _refused(reason)
            return await self._patch(path, "persistentvolumeclaims", claim, selection_patch(claim, node))

        return await self._settle(attempt)

    async def _patch(self, path: str, resource: str, found: Object, patch: Object) -> Updated:
        metadata = found["metadata"]
        if not patch:
            return Updated(int(metadata["resourceVersion"]))
        precondition = {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]}
        body = {**patch, "metadata": {**patch["metadata"], **precondition}}
        _, payload = await self._connection.request(
            "PATCH", path, resource=resource, verb="patch", body=body, meaning=Body.MERGE_PATCH
        )
        return Updated(int(decode(payload)["metadata"]["resourceVersion"]))

    async def _settle(self, attempt: Callable[[], Awaitable[Updated]]) -> Updated:
        """Try until it is clear what became of it, or the budget is used up."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + UPDATE_BUDGET_SECONDS
        delay, longest = _BACKOFF_SECONDS
        while True:
            try:
                return await attempt()
            except (Conflict, *TRANSIENT) as error:
                wait = self._jitter.uniform(delay / 2, delay)
                delay = min(longest, delay * 2)
                if isinstance(error, TooManyRequests):
                    wait += error.retry_after
                if loop.time() + wait > give_up_at:
                    return _refused(_words(error))
                await asyncio.sleep(wait)
            except OperatorError as error:
                return _refused(_words(error))


def taken(volume: Object, wanted: VolumeForClaim) -> str:
    """Why the volume cannot be had for the claim any more; empty when it can be."""
    if volume["metadata"].get("deletionTimestamp"):
        return f'pv "{wanted.volume}" is being deleted'
    owner, claim = volume["spec"].get("claimRef"), wanted.claim
    same = owner is None or (owner.get("namespace"), owner.get("name")) == (claim.namespace, claim.name)
    if owner is None or (same and owner.get("uid") in (None, "", claim.uid)):
        return ""
    return f'pv "{wanted.volume}" got claimed by "{owner.get("namespace")}/{owner.get("name")}"'


def claim_patch(volume: Object, wanted: VolumeForClaim, claim_version: int) -> Object:
    """What to change on a volume that is not `taken`; empty when it names this very claim already."""
    owner, claim = volume["spec"].get("claimRef"), wanted.claim
    if owner and owner.get("uid"):
        return {}
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": claim.namespace,
        "name": claim.name,
        "uid": claim.uid,
        "resourceVersion": str(claim_version),
    }
    # A volume that a person has promised to the claim, by its name, stays the claim's when the claim is deleted.
    annotations = {} if owner else {_BOUND_BY_CONTROLLER: "yes"}
    return {"metadata": {"annotations": annotations}, "spec": {"claimRef": reference}}


def decided(claim: Object, wanted: ClaimReference, node: str) -> str:
    """Why the claim cannot be provisioned for the node any more; empty when it can be."""
    metadata = claim["metadata"]
    if metadata["uid"] != wanted.uid:
        return f'PVC "{wanted.name}" was deleted and created anew'
    if metadata.get("deletionTimestamp"):
        return f'PVC "{wanted.name}" is being deleted'
    selected = (metadata.get("annotations") or {}).get(SELECTED_NODE, node)
    if selected != node:
        return f'PVC "{wanted.name}" is being provisioned for node "{selected}"'
    volume = (claim.get("spec") or {}).get("volumeName")
    if volume and SELECTED_NODE not in (metadata.get("annotations") or {}):
        return f'PVC "{wanted.name}" got bound to pv "{volume}"'
    return ""


def selection_patch(claim: Object, node: str) -> Object:
    """What to change on a claim that is not `decided` otherwise; empty when the node is selected already."""
    if SELECTED_NODE in (claim["metadata"].get("annotations") or {}):
        return {}
    return {"metadata": {"annotations": {SELECTED_NODE: node}}}


def _refused(reason: str) -> Updated:
    return Updated(0, reason)


def _words(error: OperatorError) -> str:
    return error.message if isinstance(error, ApiError) else str(error)
