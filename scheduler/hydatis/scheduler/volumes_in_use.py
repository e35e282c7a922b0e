"""Which volumes the placed pods use, by row, and how many pods use each claim.

The cluster state owns it and keeps it up to date with every placement; pods without volumes do not come here.
"""

from collections import Counter
from collections.abc import Collection

from hydatis.scheduler.pod_volumes import PodVolumes
from hydatis.scheduler.storage.claims import ClaimName


class VolumesInUse:
    """Volumes of placed pods."""

    def __init__(self) -> None:
        self._by_row: dict[int, Counter[PodVolumes]] = {}
        self._claims: Counter[ClaimName] = Counter()

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
        for use in volumes.claims:
            if use.made_for is None:
                self._claims[use.name] += 1

    def remove(self, row: int, volumes: PodVolumes) -> None:
        """Stop counting the volumes of a pod that was placed on the row."""
        on_row = self._by_row[row]
        on_row[volumes] -= 1
        if not on_row[volumes]:
            del on_row[volumes]
            if not on_row:
                del self._by_row[row]
        for use in volumes.claims:
            if use.made_for is None:
                self._claims[use.name] -= 1
                if not self._claims[use.name]:
                    del self._claims[use.name]
