"""A StorageClass, as far as scheduling looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Rows
from hydatis.scheduler.node_labels import NodeLabels
from hydatis.scheduler.node_selectors import LabelRequirement

_NOT_SUPPORTED: Final = "kubernetes.io/no-provisioner"
"""The provisioner of classes whose volumes are made by hand."""


@dataclass(frozen=True, slots=True)
class StorageClass:
    """A class."""

    name: str
    provisioner: str
    waits_for_consumer: bool
    """Whether its claims are bound only when a pod that uses them is placed (WaitForFirstConsumer)."""
    topologies: tuple[tuple[LabelRequirement, ...], ...]
    """Terms of which a node must meet one, for a volume to be provisioned for it; empty: any node will do."""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "StorageClass":
        """Read a class."""
        return cls(
            name=manifest["metadata"]["name"],
            provisioner=manifest.get("provisioner") or "",
            waits_for_consumer=manifest.get("volumeBindingMode") == "WaitForFirstConsumer",
            topologies=tuple(
                tuple(
                    LabelRequirement(e.get("key", ""), "In", tuple(e.get("values") or ()))
                    for e in term.get("matchLabelExpressions") or ()
                )
                for term in manifest.get("allowedTopologies") or ()
            ),
        )

    @property
    def provisions(self) -> bool:
        """Whether somebody makes volumes for its claims."""
        return self.provisioner not in {"", _NOT_SUPPORTED}

    def allows(self, labels: NodeLabels, rows: Rows) -> BoolArray:
        """Tell for each row whether a volume may be provisioned for it (apis/core/v1/helper,
        MatchTopologySelectorTerms).
        """
        if not self.topologies:
            return np.ones(len(rows), dtype=np.bool_)
        allowed = np.zeros(len(rows), dtype=np.bool_)
        for term in self.topologies:
            # An empty term, or one that cannot be parsed, allows nothing.
            if term and all(requirement.valid for requirement in term):
                allowed |= np.logical_and.reduce([requirement.matches(labels, rows) for requirement in term])
        return allowed
