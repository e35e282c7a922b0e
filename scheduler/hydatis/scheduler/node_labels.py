"""The labels of all nodes, as columns: one small integer a node for each label key that some pod has asked about.

Nodes may carry thousands of labels; only keys that a selector names get a column, made on first use and kept up to
date afterwards.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from hydatis.scheduler.arrays import BoolArray, Int32Array, Rows

_ABSENT = -1


@dataclass(slots=True)
class _Column:
    """Values of one key: a value's number per row, and the numbers by value."""

    values: Int32Array
    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, value: str) -> int:
        return self.numbers.setdefault(value, len(self.numbers))


class NodeLabels:
    """Labels and names by row. The cluster state writes it; selectors read it."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._labels: list[Mapping[str, str]] = [{}] * capacity
        self._names: dict[str, int] = {}
        self._columns: dict[str, _Column] = {}

    def grow(self, capacity: int) -> None:
        """Make room for `capacity` rows."""
        self._labels += [{}] * (capacity - self._capacity)
        for column in self._columns.values():
            column.values = np.append(column.values, np.full(capacity - self._capacity, _ABSENT, dtype=np.int32))
        self._capacity = capacity

    def name(self, row: int, name: str | None, previous: str | None = None) -> None:
        """Give a row its node's name, or take it away."""
        if previous is not None:
            del self._names[previous]
        if name is not None:
            self._names[name] = row

    def set(self, row: int, labels: Mapping[str, str]) -> None:
        """Replace a row's labels."""
        self._labels[row] = labels
        for key, column in self._columns.items():
            value = labels.get(key)
            column.values[row] = _ABSENT if value is None else column.number(value)

    def numbers(self, key: str) -> Int32Array:
        """Return, for every row, the number of its value of this label, -1 without it. Not to be written."""
        return self._column(key).values

    def number_of(self, key: str, value: str) -> int | None:
        """Return the number of a label's value, if any node ever had it."""
        return self._column(key).numbers.get(value)

    def present(self, key: str, rows: Rows) -> BoolArray:
        """Tell for each row whether it has the label."""
        verdicts: BoolArray = self._column(key).values[rows] != _ABSENT
        return verdicts

    def any_of(self, key: str, values: Iterable[str], rows: Rows) -> BoolArray:
        """Tell for each row whether its label has one of the values."""
        column = self._column(key)
        numbers = [column.numbers[value] for value in values if value in column.numbers]
        if len(numbers) == 1:
            verdicts: BoolArray = column.values[rows] == numbers[0]
            return verdicts
        return np.isin(column.values[rows], numbers)

    def where(self, key: str, holds: Callable[[str], bool], rows: Rows) -> BoolArray:
        """Tell for each row whether it has the label and the predicate holds for its value."""
        column = self._column(key)
        # The last entry answers for rows without the label, whose number is -1.
        verdict_by_number = np.array([*(holds(value) for value in column.numbers), False])
        verdicts: BoolArray = verdict_by_number[column.values[rows]]
        return verdicts

    def named(self, name: str, rows: Rows) -> BoolArray:
        """Tell for each row whether it is the node of that name."""
        verdicts: BoolArray = rows == self._names.get(name, -1)
        return verdicts

    def _column(self, key: str) -> _Column:
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = _Column(np.full(self._capacity, _ABSENT, dtype=np.int32))
            for row, labels in enumerate(self._labels):
                value = labels.get(key)
                if value is not None:
                    column.values[row] = column.number(value)
        return column
