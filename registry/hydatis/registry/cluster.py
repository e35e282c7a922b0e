"""What is asked of the API server: models and policies, read and written over the operator's own client.

Every function raises OperatorError as `Connection` does. Nothing whose outcome is unknown is repeated: who calls the
command again finds what is there.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from hydatis.operator.connection import Body, Connection, decode
from hydatis.operator.credentials import CredentialSource
from hydatis.operator.errors import NotFound
from hydatis.scheduler.models.model_spec import PLURAL
from hydatis.scheduler.policy import GROUP, VERSION

MODELS = f"/apis/{GROUP}/{VERSION}/{PLURAL}"
POLICIES = f"/apis/{GROUP}/{VERSION}/mlschedulerpolicies"
_PAGE = "20"
"""Models of one answer: each may hold a MiB of weights."""


@asynccontextmanager
async def connected(source: CredentialSource) -> AsyncIterator[Connection]:
    """Open a connection with the user's credentials. Raises Misconfigured."""
    connection = await Connection.open(source)
    try:
        yield connection
    finally:
        await connection.close()


async def find_model(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """Return an MLModel; None when there is none."""
    return await _find(connection, f"{MODELS}/{quote(name, safe='')}", PLURAL)


async def find_policy(connection: Connection, name: str) -> Mapping[str, Any] | None:
    """Return an MLSchedulerPolicy; None when there is none."""
    return await _find(connection, f"{POLICIES}/{quote(name, safe='')}", "mlschedulerpolicies")


async def all_models(connection: Connection) -> list[Mapping[str, Any]]:
    """Return every MLModel, without its weights."""
    found: list[Mapping[str, Any]] = []
    token = ""
    while True:
        query = {"limit": _PAGE, **({"continue": token} if token else {})}
        page = await connection.get(MODELS, resource=PLURAL, verb="list", query=query)
        for item in page.get("items", ()):
            item.get("spec", {}).pop("weights", None)
            found.append(item)
        token = page.get("metadata", {}).get("continue", "")
        if not token:
            return found


async def create_model(connection: Connection, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Create an MLModel and return it as the API server has it. Raises Conflict when the name is taken."""
    return await _create(connection, MODELS, manifest, PLURAL)


async def find_config_map(connection: Connection, namespace: str, name: str) -> Mapping[str, Any] | None:
    """Return a ConfigMap; None when there is none."""
    return await _find(connection, f"{_config_maps(namespace)}/{quote(name, safe='')}", "configmaps")


async def create_config_map(connection: Connection, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Create a ConfigMap in the namespace that it names. Raises Conflict when the name is taken there."""
    return await _create(connection, _config_maps(manifest["metadata"]["namespace"]), manifest, "configmaps")


async def patch_policy(connection: Connection, name: str, patch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Merge a patch into a policy. Raises Conflict when the patch names another resourceVersion than the present."""
    _, payload = await connection.request(
        "PATCH",
        f"{POLICIES}/{quote(name, safe='')}",
        resource="mlschedulerpolicies",
        verb="patch",
        body=patch,
        meaning=Body.MERGE_PATCH,
    )
    return _decoded(payload)


async def _find(connection: Connection, path: str, resource: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = await connection.get(path, resource=resource)
    except NotFound:
        return None
    return found


async def _create(connection: Connection, path: str, manifest: Mapping[str, Any], resource: str) -> Mapping[str, Any]:
    _, payload = await connection.request("POST", path, resource=resource, verb="create", body=manifest)
    return _decoded(payload)


def _decoded(payload: bytes) -> Mapping[str, Any]:
    document: Mapping[str, Any] = decode(payload)
    return document


def _config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/configmaps"
