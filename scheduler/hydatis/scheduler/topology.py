"""Sums over topology domains: the nodes that share the value of a label."""

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int32Array, Int64Array
from hydatis.scheduler.cluster import Cluster


class Domains:
    """The domains of one topology key; entries of the arrays are rows, as many as the cluster has capacity for. They
    hold until a node changes and are not to be written.
    """

    def __init__(self, cluster: Cluster, topology_key: str, *, unlabelled_too: bool = False) -> None:
        """With `unlabelled_too` the nodes without the label form a domain of their own, that of the empty value."""
        numbers = cluster.labels.numbers(topology_key)
        self.labelled: BoolArray = (numbers >= 0) & cluster.present
        self._count = int(numbers.max(initial=-1)) + 1
        if unlabelled_too:
            empty = cluster.labels.number_of(topology_key, "")
            empty = self._count if empty is None else empty
            self._count = max(self._count, empty + 1)
            numbers = np.where(numbers < 0, empty, numbers)
        self.numbers: Int32Array = numbers
        """The number of each row's domain, -1 without the label."""

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


def domains_of(cluster: Cluster, topology_key: str, *, unlabelled_too: bool = False) -> Domains:
    """Return the domains as they are now; the same object as long as no node changes."""
    key = (Domains, topology_key, unlabelled_too)
    domains = cluster.of_nodes.get(key)
    if domains is None:
        domains = cluster.of_nodes[key] = Domains(cluster, topology_key, unlabelled_too=unlabelled_too)
    return domains
