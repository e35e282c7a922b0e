"""Which volumes the placed pods use, by row, and how many pods use each claim.

The cluster state owns it and keeps it up to date with every placement; pods without volumes do not come here.
"""

from collections import Counter
from collections.abc import Collection

import numpy as np

from hydatis.scheduler.arrays import Int64Array
from hydatis.scheduler.pod_volumes import PodVolumes
from hydatis.scheduler.storage.claims import ClaimName


class VolumesInUse:
    """Volumes of placed pods."""

    def __init__(self, capacity: int) -> None:
        self._by_row: dict[int, Counter[PodVolumes]] = {}
        self._claims: Counter[ClaimName] = Counter()
        self.most_attached: Int64Array = np.zeros(capacity, dtype=np.int64)
        """By row: how many volumes the pods there can have attached at most, each counted for every pod that uses it.
        """

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` rows."""
        self.most_attached = np.append(self.most_attached, np.zeros(capacity - len(self.most_attached), dtype=np.int64))

    def on(self, row: int) -> Collection[PodVolumes]:
        """Return the volumes of the pods on a row, each combination once."""
        return self._by_row.get(row, {}).keys()

    def uses(self, claim: ClaimName) -> int:
        """Return how many placed pods name the claim, wherever they are. Ephemeral volumes name none
        (framework/types.go, PodPVCKeys).
        """
        return self._claims[claim]

    def add(self, row: int, volumes: PodVolumes) -> None:
        """Count the volumes of a pod placed on the row."""
        self._by_row.setdefault(row, Counter())[volumes] += 1
        self.most_attached[row] += len(volumes.claims) + len(volumes.migrated)
        for use in volumes.claims:
            if use.made_for is None:
                self._claims[use.name] += 1

    def remove(self, row: int, volumes: PodVolumes) -> None:
        """Stop counting the volumes of a pod that was placed on the row."""
        on_row = self._by_row[row]
        on_row[volumes] -= 1
        self.most_attached[row] -= len(volumes.claims) + len(volumes.migrated)
        if not on_row[volumes]:
            del on_row[volumes]
            if not on_row:
                del self._by_row[row]
        for use in volumes.claims:
            if use.made_for is None:
                self._claims[use.name] -= 1
                if not self._claims[use.name]:
                    del self._claims[use.name]
