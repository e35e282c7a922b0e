"""A made-up cluster and the pods to judge on it. Made by the generator, cut down by the shrinker."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Each candidate on this cluster is one case; candidates do not see each other."""

    number: int
    """Which of a seed's clusters this is."""
    nodes: tuple[Manifest, ...]
    pods: tuple[Manifest, ...]
    """Bound pods; each names one of the nodes."""
    candidates: tuple[Manifest, ...]
    objects: tuple[Manifest, ...] = ()
    """Objects of all other kinds that plugins look up, with apiVersion and kind."""
    nominated: tuple[Manifest, ...] = ()
    """Pods that wait behind a scheduling gate, each with a node kept for it."""

    def request(self, plugins: tuple[str, ...], arguments: Mapping[str, Manifest] | None = None) -> bytes:
        """Return the line that asks the oracle about every candidate.

        `plugins` take part, all of the default profile if there are none; `arguments` stand in for some plugins' own.
        """
        return orjson.dumps(
            {
                "id": self.number,
                "nodes": self.nodes,
                "pods": self.pods,
                "nominated": self.nominated,
                "candidates": self.candidates,
                "objects": self.objects,
                "plugins": plugins,
                "arguments": arguments or {},
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    def with_only(self, candidate: int) -> "Cluster":
        """Return the cluster with just one of its candidates."""
        return replace(self, candidates=(self.candidates[candidate],))
