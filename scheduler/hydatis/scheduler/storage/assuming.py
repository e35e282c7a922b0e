"""Bindings of volumes that the scheduler has decided on and the watch does not show yet.

As a pod counts on its node from Reserve on, a volume counts as taken and a claim as on its way to a node: no two
claims get the same volume, and all pods of a claim go where it goes. What a pod assumed is given back when the pod is
not bound after all; what the API server shows takes the place of what was assumed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from hydatis.scheduler.instructions import ClaimReference, VolumesToBind
from hydatis.scheduler.storage.claims import Claim, ClaimName
from hydatis.scheduler.storage.volumes import Volume


@dataclass(slots=True)
class _Kept:
    """A volume for a claim, and the pods that count on it."""

    claim: ClaimReference
    pods: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Selected:
    """A node for a claim, and the pods that count on it."""

    claim: ClaimReference
    node: str
    pods: set[str] = field(default_factory=set)


_Key = TypeVar("_Key")
_Assumed = TypeVar("_Assumed", _Kept, _Selected)


class AssumedBindings:
    """What was assumed, by volume and by claim."""

    def __init__(self) -> None:
        self._volumes: dict[str, _Kept] = {}
        self._claims: dict[ClaimName, _Selected] = {}
        self._by_pod: dict[str, tuple[tuple[str, ...], tuple[ClaimName, ...]]] = {}

    def __len__(self) -> int:
        return len(self._volumes) + len(self._claims)

    def claim_of(self, volume: Volume) -> ClaimReference | None:
        """Return the claim that the volume is bound to or kept for."""
        kept = self._volumes.get(volume.name)
        return volume.claim if kept is None else kept.claim

    def volumes_of(self, name: ClaimName) -> list[str]:
        """Return the volumes that are assumed to be bound to the claim of this name."""
        return [volume for volume, kept in self._volumes.items() if (kept.claim.namespace, kept.claim.name) == name]

    def node_of(self, claim: Claim) -> str | None:
        """Return the node for which the claim's volume is to be provisioned."""
        selected = self._claims.get(claim.name)
        return claim.selected_node if selected is None else selected.node

    def assume(self, pod: str, node: str, volumes: VolumesToBind) -> None:
        """Count the bindings as made, for the pod with this uid."""
        for binding in volumes.bind:
            self._volumes.setdefault(binding.volume, _Kept(binding.claim)).pods.add(pod)
        names = tuple(ClaimName(claim.namespace, claim.name) for claim in volumes.provision)
        for name, claim in zip(names, volumes.provision, strict=True):
            self._claims.setdefault(name, _Selected(claim, node)).pods.add(pod)
        self._by_pod[pod] = (tuple(binding.volume for binding in volumes.bind), names)

    def give_back(self, pod: str) -> bool:
        """Forget what was assumed for a pod that is not bound; tell whether that changed anything."""
        volumes, claims = self._by_pod.pop(pod, ((), ()))
        before = len(self)
        _withdraw(self._volumes, volumes, pod)
        _withdraw(self._claims, claims, pod)
        return len(self) != before

    def settle(self, pod: str) -> None:
        """Note that the pod is bound, hence its claims are: what was assumed stays until the watch shows it."""
        self._by_pod.pop(pod, None)

    def volume_seen(self, volume: Volume) -> None:
        """Drop what was assumed about a volume, once the API server shows whose it is."""
        if volume.claim is not None and volume.claim.uid:
            self._volumes.pop(volume.name, None)

    def volume_gone(self, name: str) -> None:
        """Drop what was assumed about a volume that does not exist any more."""
        self._volumes.pop(name, None)

    def claim_seen(self, claim: Claim) -> None:
        """Drop what was assumed about a claim, once the API server shows where it goes, or that it is another."""
        selected = self._claims.get(claim.name)
        if selected is not None and (claim.selected_node or claim.bound or selected.claim != claim.reference):
            del self._claims[claim.name]

    def claim_gone(self, name: ClaimName) -> None:
        """Drop what was assumed about a claim that does not exist any more."""
        self._claims.pop(name, None)


def _withdraw(assumed: dict[_Key, _Assumed], keys: Iterable[_Key], pod: str) -> None:
    for key in keys:
        entry = assumed.get(key)
        if entry is not None:
            entry.pods.discard(pod)
            if not entry.pods:
                del assumed[key]
