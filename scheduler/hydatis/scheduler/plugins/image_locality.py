"""ImageLocality: nodes that already hold the pod's images (kubernetes plugins/imagelocality).

An image counts with its size times the share of nodes that hold it, rounded down, so that a node which pulled an
image first does not draw every pod that uses it. The sum is held between 23 MiB and 1,000 MiB for each image, and
that range is scaled to 0-100.
"""

from typing import ClassVar, Final

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import MAX_NODE_SCORE, Normalization, Scope
from hydatis.scheduler.requirements import Requirements

_SMALLEST_BYTES: Final = 23 * 2**20
_LARGEST_BYTES: Final = 1000 * 2**20
"""For each image of the pod."""


class ImageLocality:
    """Score."""

    name: ClassVar[str] = "ImageLocality"
    scope: ClassVar[Scope] = Scope.IMAGES
    normalization: ClassVar[Normalization] = Normalization.NONE

    def applies(self, requirements: Requirements) -> bool:
        """Every pod that names its images."""
        return bool(requirements.images)

    def score(self, requirements: Requirements, cluster: Cluster, rows: Rows) -> Int64Array:
        """Return 0-100, the more of the images is there, the higher."""
        total = np.zeros(len(rows), dtype=np.int64)
        for name in requirements.images:
            spread = cluster.images.spread(name)
            if spread:
                share = spread / cluster.node_count
                total += (cluster.images.sizes(name, rows) * share).astype(np.int64)
        largest = _LARGEST_BYTES * len(requirements.images)
        total = np.clip(total, _SMALLEST_BYTES, largest)
        score: Int64Array = MAX_NODE_SCORE * (total - _SMALLEST_BYTES) // (largest - _SMALLEST_BYTES)
        return score
