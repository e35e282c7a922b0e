"""The container images that nodes already hold, by name (kubernetes node `status.images`)."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hydatis.scheduler.arrays import Int64Array, Rows


def normalized_image_name(name: str) -> str:
    """Add the tag that an image name without one means (plugins/imagelocality, normalizedImageName)."""
    return f"{name}:latest" if name.rfind(":") <= name.rfind("/") else name


class NodeImages:
    """Image sizes in bytes by image name and row. The cluster state writes it."""

    def __init__(self) -> None:
        self._sizes: dict[str, dict[int, int]] = {}
        self._names: dict[int, tuple[str, ...]] = {}
        self.version = 0
        """Grows with every change: how much an image counts on one node depends on how many others hold it."""

    def set(self, row: int, images: Iterable[Mapping[str, Any]]) -> None:
        """Replace what a row holds."""
        sizes = {name: image.get("sizeBytes") or 0 for image in images for name in image.get("names") or ()}
        before = self._names.pop(row, ())
        if not sizes and not before:
            return
        self.version += 1
        for name in before:
            rows = self._sizes[name]
            del rows[row]
            if not rows:
                del self._sizes[name]
        for name, size in sizes.items():
            self._sizes.setdefault(name, {})[row] = size
        if sizes:
            self._names[row] = tuple(sizes)

    def any_of(self, names: Iterable[str]) -> bool:
        """Tell whether any node holds any of these images."""
        return any(name in self._sizes for name in names)

    def spread(self, name: str) -> int:
        """Return how many nodes hold the image."""
        return len(self._sizes.get(name, ()))

    def sizes(self, name: str, rows: Rows) -> Int64Array:
        """Return the image's size on each row, 0 where it is not."""
        held = self._sizes.get(name, {})
        return np.fromiter((held.get(row, 0) for row in rows.tolist()), dtype=np.int64, count=len(rows))
