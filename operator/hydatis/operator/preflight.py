"""Checks before anything starts that the cluster has what HYDATIS needs, so that a fault is one sentence, not a log.

`running` calls `check` once. Looked at: the address, the credentials, the custom resource definition and each
permission (SelfSubjectAccessReview, which every authenticated user may create). A server that is briefly down gets a
few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import orjson

from hydatis.operator.connection import Connection
from hydatis.operator.errors import (
    TRANSIENT,
    ApiError,
    CertificateRefused,
    Forbidden,
    NotFound,
    StartRefused,
    TooManyRequests,
    Unauthorized,
)
from hydatis.operator.policies import GROUP, PLURAL, VERSION
from hydatis.scheduler.models.model_spec import PLURAL as MODELS

PATIENCE_SECONDS = 5.0
_RETRY_SECONDS = 0.25
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing the operator does, in the words of RBAC."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    own_namespace: bool = False
    """Whether only in HYDATIS' own namespace; else in all of them."""

    def __str__(self) -> str:
        name = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {name}.{self.group}" if self.group else f"{self.verb} {name}"


PERMISSIONS = (
    Permission("list", "", "pods"),
    Permission("watch", "", "pods"),
    Permission("get", "", "pods"),
    Permission("create", "", "pods", "binding"),
    Permission("patch", "", "pods", "status"),
    Permission("delete", "", "pods"),
    Permission("list", "policy", "poddisruptionbudgets"),
    Permission("watch", "policy", "poddisruptionbudgets"),
    Permission("list", "", "nodes"),
    Permission("watch", "", "nodes"),
    Permission("list", "", "namespaces"),
    Permission("watch", "", "namespaces"),
    Permission("list", "", "services"),
    Permission("watch", "", "services"),
    Permission("list", "", "replicationcontrollers"),
    Permission("watch", "", "replicationcontrollers"),
    Permission("list", "apps", "replicasets"),
    Permission("watch", "apps", "replicasets"),
    Permission("list", "apps", "statefulsets"),
    Permission("watch", "apps", "statefulsets"),
    Permission("list", "", "persistentvolumes"),
    Permission("watch", "", "persistentvolumes"),
    Permission("get", "", "persistentvolumes"),
    Permission("patch", "", "persistentvolumes"),
    Permission("list", "", "persistentvolumeclaims"),
    Permission("watch", "", "persistentvolumeclaims"),
    Permission("get", "", "persistentvolumeclaims"),
    Permission("patch", "", "persistentvolumeclaims"),
    Permission("list", "storage.k8s.io", "storageclasses"),
    Permission("watch", "storage.k8s.io", "storageclasses"),
    Permission("list", "storage.k8s.io", "csinodes"),
    Permission("watch", "storage.k8s.io", "csinodes"),
    Permission("list", "storage.k8s.io", "csidrivers"),
    Permission("watch", "storage.k8s.io", "csidrivers"),
    Permission("list", "storage.k8s.io", "csistoragecapacities"),
    Permission("watch", "storage.k8s.io", "csistoragecapacities"),
    Permission("list", "storage.k8s.io", "volumeattachments"),
    Permission("watch", "storage.k8s.io", "volumeattachments"),
    Permission("create", "events.k8s.io", "events"),
    Permission("patch", "events.k8s.io", "events"),
    Permission("list", GROUP, PLURAL),
    Permission("watch", GROUP, PLURAL),
    Permission("patch", GROUP, PLURAL, "status"),
    Permission("list", GROUP, MODELS),
    Permission("watch", GROUP, MODELS),
    Permission("patch", GROUP, MODELS, "status"),
    Permission("get", "", "configmaps", own_namespace=True),
    Permission("create", "", "configmaps", own_namespace=True),
    Permission("patch", "", "configmaps", own_namespace=True),
)
"""All that the operator does; the chart's ClusterRole and, for its own namespace, its Role grant just this."""


async def check(connection: Connection, namespace: str) -> None:
    """Raise StartRefused, or Unreachable, with all that is missing. `namespace` is HYDATIS' own."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    try:
        missing = await _missing_permissions(connection, namespace, deadline)
        await _patiently(lambda: _find_definition(connection), deadline)
    except Unauthorized as error:
        raise StartRefused(
            f"The API server {connection.server} does not accept the credentials: {error.message}.",
            "Renew the token or client certificate that the kubeconfig names.",
        ) from error
    except Forbidden as error:
        raise StartRefused(
            f"This identity may not even ask for its permissions: {error.message}.",
            "Check that the kubeconfig names a user, and bind it to the chart's ClusterRole.",
        ) from error
    except ApiError as error:
        raise StartRefused(
            f"{connection.server} does not answer as a Kubernetes API server does: {error.status} {error.message}.",
            "Check the server's address in the kubeconfig.",
        ) from error
    if missing:
        told = [f"{needed} in the namespace {namespace}" if needed.own_namespace else str(needed) for needed in missing]
        own = any(needed.own_namespace for needed in missing)
        raise StartRefused(
            f"This identity lacks the permission to {', '.join(told)}.",
            "Bind it to the chart's ClusterRole and Role, and name the namespace of the release with --namespace."
            if own
            else "Bind it to the chart's ClusterRole.",
        )


async def _missing_permissions(connection: Connection, namespace: str, deadline: float) -> list[Permission]:
    answers = await asyncio.gather(
        *(_patiently(partial(_allowed, connection, needed, namespace), deadline) for needed in PERMISSIONS)
    )
    return [needed for needed, allowed in zip(PERMISSIONS, answers, strict=True) if not allowed]


async def _allowed(connection: Connection, needed: Permission, namespace: str) -> bool:
    attributes = {
        "verb": needed.verb,
        "group": needed.group,
        "resource": needed.resource,
        "subresource": needed.subresource,
        "namespace": namespace if needed.own_namespace else "",
    }
    _, payload = await connection.request(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        resource="selfsubjectaccessreviews",
        verb="create",
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        },
        timeout=PATIENCE_SECONDS,
    )
    return bool(orjson.loads(payload)["status"]["allowed"])


async def _find_definition(connection: Connection) -> None:
    try:
        found = await connection.get(f"/apis/{GROUP}/{VERSION}", resource="apigroups")
    except NotFound:
        found = {}
    there = {kind["name"] for kind in found.get("resources", ())}
    for needed in (PLURAL, MODELS):
        if needed not in there:
            raise StartRefused(
                f"The custom resource {needed}.{GROUP}/{VERSION} is not installed in the cluster.",
                "Install the chart, or apply the definitions in crds/.",
            )


async def _patiently(ask: Callable[[], Awaitable[_Answer]], deadline: float) -> _Answer:
    """Repeat what failed only for now, until the deadline (on the loop's clock)."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return await ask()
        except CertificateRefused:
            raise
        except TRANSIENT as error:
            wait = error.retry_after if isinstance(error, TooManyRequests) else _RETRY_SECONDS
            if loop.time() + wait > deadline:
                raise
            await asyncio.sleep(wait)
