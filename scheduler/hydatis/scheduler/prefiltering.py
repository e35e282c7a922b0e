"""PreFilter: what the pod alone says about where it can go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.plugins import Nowhere, OnlyOn, PreFilterPlugin
from hydatis.scheduler.requirements import Requirements


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """The nodes worth filtering."""

    names: frozenset[str] | None
    """None: all of them."""
    narrowed_by: tuple[str, ...] = ()
    """The plugins that named nodes, in alphabetical order."""

    def rows(self, cluster: Cluster) -> Rows:
        """Return the rows of the nodes that exist among these."""
        if self.names is None:
            return cluster.rows()
        rows = (cluster.row_of(name) for name in self.names)
        return np.array(sorted(row for row in rows if row is not None), dtype=np.intp)


@dataclass(frozen=True, slots=True)
class Rejected:
    """No node can take the pod, whatever the nodes look like."""

    plugin: str
    reason: str


def prefilter(
    plugins: Sequence[PreFilterPlugin], requirements: Requirements, cluster: Cluster
) -> SearchSpace | Rejected:
    """Ask every plugin and intersect their answers (kubernetes framework/runtime RunPreFilterPlugins)."""
    names: frozenset[str] | None = None
    narrowed_by: list[str] = []
    for plugin in plugins:
        result = plugin.prefilter(requirements, cluster)
        if isinstance(result, Nowhere):
            return Rejected(plugin.name, result.reason)
        if isinstance(result, OnlyOn):
            narrowed_by.append(plugin.name)
            names = result.names if names is None else names & result.names
            if not names:
                listed = " ".join(sorted(narrowed_by))
                together = f"plugin(s) [{listed}] simultaneously" if len(narrowed_by) > 1 else f"plugin {listed}"
                return Rejected(plugin.name, f"node(s) didn't satisfy {together}")
    return SearchSpace(names, tuple(sorted(narrowed_by)))
