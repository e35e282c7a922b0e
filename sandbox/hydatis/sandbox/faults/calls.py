"""What a request to the API server asks for, in the words of RBAC: verb, resource, namespace, name.

The rules of the proxy are written in these words. The forms of paths are those of Kubernetes'
staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `resource` is empty for what is no resource (/readyz, /openapi)."""

    verb: str
    resource: str
    """Plural, with the subresource: `pods`, `pods/binding`."""
    group: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, method: str, path: str, query: Mapping[str, str]) -> "Call":
        """Read a request's method, path and query."""
        group, parts = _group_and_rest(path)
        namespace = ""
        # /namespaces/NAME/pods is about pods; /namespaces/NAME and its own subresources are about the namespace.
        if len(parts) >= 3 and parts[0] == "namespaces" and parts[2] not in ("status", "finalize"):
            namespace, parts = parts[1], parts[2:]
        resource = parts[0] if parts else ""
        name = parts[1] if len(parts) >= 2 else ""
        if len(parts) >= 3:
            resource = f"{resource}/{parts[2]}"
        return cls(_verb(method, name, query), resource, group, namespace, name)


def _group_and_rest(path: str) -> tuple[str, list[str]]:
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"]:
        return "", parts[2:]
    if parts[:1] == ["apis"]:
        return (parts[1] if len(parts) >= 2 else ""), parts[3:]
    return "", []


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method != "GET":
        verb = _VERBS.get(method, method.lower())
        return "deletecollection" if verb == "delete" and not name else verb
    if query.get("watch") in ("true", "1"):
        return "watch"
    return "get" if name else "list"
