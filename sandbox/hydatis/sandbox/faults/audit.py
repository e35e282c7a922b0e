"""The API server's own audit log as the witness: which bindings it accepted, and which rights a user made use of.

Tests start the API server with `AuditLog.apiserver_arguments` and read the log afterwards. Unlike a watch it misses
nothing and orders by the server's own clock. A server that is killed may keep the line of a request that it carried
out in its last instant to itself. Format: Kubernetes' staging/src/k8s.io/apiserver/pkg/apis/audit/v1/types.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The body of a binding names the node and the pod's uid.
        {"level": "Request", "verbs": ["create"], "resources": [{"group": "", "resources": ["pods/binding"]}]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True, slots=True)
class Binding:
    """One request to bind a pod, and how it ended."""

    uid: str
    """The pod's; empty where the client did not name it."""
    namespace: str
    pod: str
    node: str
    user: str
    status: int
    """HTTP status; 201 means that the pod is bound by this request."""
    asked_at: datetime
    answered_at: datetime

    @property
    def accepted(self) -> bool:
        """Whether the API server bound the pod."""
        return self.status == 201


@dataclass(frozen=True, order=True, slots=True)
class Right:
    """One thing RBAC grants: a verb on a resource."""

    verb: str
    group: str
    resource: str
    """With the subresource: `pods/binding`."""

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}.{self.group}" if self.group else f"{self.verb} {self.resource}"


class AuditLog:
    """The log in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "audit.log"
        self._policy = folder / "audit-policy.json"

    def apiserver_arguments(self) -> list[str]:
        """Flags of the API server; writes the policy file that they name."""
        self._policy.parent.mkdir(parents=True, exist_ok=True)
        self._policy.write_bytes(orjson.dumps(_POLICY))
        return [f"--audit-log-path={self._log}", f"--audit-policy-file={self._policy}"]

    def bindings(self, namespace: str) -> list[Binding]:
        """Every answered request to bind a pod of the namespace, the first answered first."""
        found = [
            _binding(entry)
            for entry in self._entries()
            if entry["verb"] == "create"
            and entry["objectRef"].get("subresource") == "binding"
            and entry["objectRef"].get("namespace") == namespace
        ]
        return sorted(found, key=lambda binding: binding.answered_at)

    def rights_used(self, user: str, since: datetime) -> set[Right]:
        """The rights by which requests of the user were carried out since then; asking about oneself needs none."""
        return {
            _right(entry["verb"], entry["objectRef"])
            for entry in self._entries()
            if entry["user"]["username"] == user
            and "objectRef" in entry
            and entry["responseStatus"]["code"] < 300
            and entry["objectRef"]["resource"] != "selfsubjectaccessreviews"
            and _moment(entry["requestReceivedTimestamp"]) >= since
        }

    def _entries(self) -> Iterator[dict[str, Any]]:
        with self._log.open("rb") as lines:
            for line in lines:
                # The last line may still be on its way, and that of a killed server stays cut.
                if line.endswith(b"}\n"):
                    entry = orjson.loads(line)
                    if "responseStatus" in entry:
                        yield entry


def _binding(entry: Mapping[str, Any]) -> Binding:
    body = entry.get("requestObject") or {}
    reference = entry["objectRef"]
    return Binding(
        uid=body.get("metadata", {}).get("uid", ""),
        namespace=reference["namespace"],
        pod=reference.get("name", ""),
        node=body.get("target", {}).get("name", ""),
        user=entry["user"]["username"],
        status=entry["responseStatus"]["code"],
        asked_at=_moment(entry["requestReceivedTimestamp"]),
        answered_at=_moment(entry["stageTimestamp"]),
    )


def _right(verb: str, reference: Mapping[str, Any]) -> Right:
    subresource = reference.get("subresource")
    resource = reference["resource"] + (f"/{subresource}" if subresource else "")
    return Right(verb, reference.get("apiGroup", ""), resource)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
