"""What other pods' selectors can see of a pod: its namespace, its labels, and whether it is on its way out."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakValueDictionary

import orjson


class PodIdentity:
    """Shared by all pods that no selector can tell apart; compared and hashed by identity: the index holds one of
    each.
    """

    __slots__ = ("__weakref__", "labels", "namespace", "terminating")

    def __init__(self, namespace: str, labels: Mapping[str, str], terminating: bool) -> None:
        self.namespace = namespace
        self.labels = labels
        self.terminating = terminating
        """Whether the pod has a deletion timestamp."""


class IdentityIndex:
    """Finds the one identity of each kind. Identities without any pod left are forgotten by themselves."""

    def __init__(self) -> None:
        self._identities: WeakValueDictionary[bytes, PodIdentity] = WeakValueDictionary()

    def of(self, metadata: Mapping[str, Any]) -> PodIdentity:
        """Return the identity of the pod with these metadata."""
        labels = metadata.get("labels") or {}
        terminating = "deletionTimestamp" in metadata
        key = orjson.dumps([metadata["namespace"], terminating, labels], option=orjson.OPT_SORT_KEYS)
        found = self._identities.get(key)
        if found is None:
            found = self._identities[key] = PodIdentity(metadata["namespace"], labels, terminating)
        return found
