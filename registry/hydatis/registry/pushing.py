"""Brings a version into a cluster and waits until HYDATIS has verified it there.

Invariant: what is under the MLModel's name afterwards has the digest of the version, or RegistryError is raised.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from hydatis.operator.connection import Connection
from hydatis.operator.errors import Conflict, NotFound
from hydatis.registry.cluster import create_config_map, create_model, find_config_map, find_model
from hydatis.registry.errors import RegistryError, printable
from hydatis.registry.manifests import Manifests

POLL_SECONDS = 0.5
COMPARED = ("kind", "version", "schemaHash", "sha256")
"""What makes an MLModel the same: the digest says what its weights are, wherever they are held."""
MAY_COME_RIGHT = ("ConfigMapMissing", "ConfigMapUnreadable", "NotFetched", "TrialFailed")
"""Reasons of Verified=False that HYDATIS looks at again soon."""
MAY_COME_RIGHT_ELSEWHERE = ("WrongDigest", "NotBase64", "NotGzip", "Truncated", "TrailingData")
"""So it does with these for weights that are not in the object itself. What it says of bytes with the right digest is
final.
"""

Tell = Callable[[str], None]
"""Takes a line for who waits."""


async def push(connection: Connection, manifests: Manifests, tell: Tell) -> None:
    """Create what is not there yet.

    Raises:
        RegistryError: another model, or another ConfigMap, has the name.
        OperatorError: the API server refused, or did not answer.

    """
    present = await find_model(connection, manifests.name)
    if present is None:
        try:
            present = await create_model(connection, manifests.model)
        except NotFound as missing:
            raise RegistryError(
                "the cluster knows no MLModel: install HYDATIS there first, with its custom resource definitions."
            ) from missing
        except Conflict:
            # Somebody was faster.
            present = await find_model(connection, manifests.name) or {}
        else:
            tell(f"created the MLModel {manifests.name}")
    else:
        tell(f"the MLModel {manifests.name} is there already")
    _check_same(present, manifests)
    for config_map in manifests.config_maps:
        await _push_piece(connection, config_map, present, tell)


def _check_same(present: Mapping[str, Any], manifests: Manifests) -> None:
    there, wanted = present.get("spec", {}), manifests.model["spec"]
    differing = [field for field in COMPARED if there.get(field) != wanted[field]]
    if differing:
        field = differing[-1]
        raise RegistryError(
            f"the MLModel {manifests.name} is another one: its {field} is {printable(str(there.get(field)), 70)}, and "
            f"{wanted[field]} was to be pushed; an MLModel never changes, so delete it first if no policy names it."
        )


async def _push_piece(
    connection: Connection, config_map: Mapping[str, Any], owner: Mapping[str, Any], tell: Tell
) -> None:
    metadata = config_map["metadata"]
    # With the model its pieces go, too.
    reference = {
        "apiVersion": owner.get("apiVersion", "hydatis.io/v1alpha1"),
        "kind": "MLModel",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    try:
        await create_config_map(connection, {**config_map, "metadata": {**metadata, "ownerReferences": [reference]}})
    except NotFound as missing:
        raise RegistryError(
            f"there is no namespace {metadata['namespace']}; name with --namespace the one that HYDATIS runs in."
        ) from missing
    except Conflict:
        there = await find_config_map(connection, metadata["namespace"], metadata["name"]) or {}
        if there.get("binaryData") != config_map["binaryData"]:
            raise RegistryError(
                f"the ConfigMap {metadata['namespace']}/{metadata['name']} has another content; delete it if it is "
                "of no use, or the MLModel that it belongs to."
            ) from None
    else:
        tell(f"created the ConfigMap {metadata['namespace']}/{metadata['name']}")


async def wait_until_verified(connection: Connection, name: str, seconds: float, tell: Tell) -> None:
    """Return when HYDATIS has verified and loaded the model.

    Raises:
        RegistryError: it was refused, or was not looked at in time; the text has HYDATIS' reason.

    """
    told = ""
    end = time.monotonic() + seconds
    while True:
        present = await find_model(connection, name)
        if present is None:
            raise RegistryError(f"the MLModel {name} was deleted while HYDATIS was to verify it.")
        status, reason, message = condition(present, "Verified")
        why = f"{reason}: {printable(message, 600)}"
        if status == "True":
            return
        if status == "False" and _final(reason, present):
            raise RegistryError(f"HYDATIS refuses {name}: {why}. kubectl delete mlm {name} removes it.")
        if time.monotonic() > end:
            raise RegistryError(
                f"{name} was not verified within {seconds:g} s: "
                + (f"{why}." if status else "HYDATIS has not looked at it; check that it runs.")
            )
        if status == "False" and why != told:
            tell(f"waiting: {why}")
            told = why
        await asyncio.sleep(POLL_SECONDS)


def _final(reason: str, present: Mapping[str, Any]) -> bool:
    elsewhere = "inline" not in present.get("spec", {}).get("weights", {})
    return reason not in MAY_COME_RIGHT and not (elsewhere and reason in MAY_COME_RIGHT_ELSEWHERE)


def condition(manifest: Mapping[str, Any], kind: str) -> tuple[str, str, str]:
    """Return status, reason and message of a condition; three empty texts while it is not there."""
    for each in manifest.get("status", {}).get("conditions") or ():
        if each.get("type") == kind:
            return each.get("status", ""), each.get("reason", ""), each.get("message", "")
    return "", "", ""
