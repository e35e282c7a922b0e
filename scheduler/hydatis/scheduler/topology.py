"""Sums over topology domains: the nodes that share the value of a label."""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int32Array, Int64Array
from hydatis.scheduler.cluster import Cluster


class Domains:
    """The domains of one topology key; entries of the arrays are rows, as many as the cluster has capacity for."""

    def __init__(self, cluster: Cluster, topology_key: str) -> None:
        self.numbers: Int32Array = cluster.labels.numbers(topology_key)
        """The number of each row's domain, -1 without the label."""
        self.labelled: BoolArray = (self.numbers >= 0) & cluster.present
        self._count = int(self.numbers.max(initial=-1)) + 1

    def sums(self, values: Int64Array, among: BoolArray) -> Int64Array:
        """Return, by domain number, the sum of `values` over the rows `among`, which must be labelled."""
        # Whole numbers below 2^53 stay exact in the floats that bincount adds up in.
        sums = np.bincount(self.numbers[among], weights=values[among], minlength=self._count)
        return sums.astype(np.int64)

    def inhabited(self, among: BoolArray) -> BoolArray:
        """Tell for each domain number whether any of the rows `among` is in it."""
        inhabited: BoolArray = np.bincount(self.numbers[among], minlength=self._count) > 0
        return inhabited

    def spread_out(self, by_domain: Int64Array) -> Int64Array:
        """Give each row its domain's value, and 0 to rows without the label."""
        by_row: Int64Array = np.append(by_domain, 0)[self.numbers]
        return by_row
