"""All measures, in the order of tables; and what they say of one run."""

from collections.abc import Mapping

from hydatis.scheduler.arrays import BoolArray
from hydatis.simulations.measures.balance import BALANCE
from hydatis.simulations.measures.capacity import CAPACITY
from hydatis.simulations.measures.counted import CountedPart
from hydatis.simulations.measures.measure import Measure
from hydatis.simulations.measures.overload import OVERLOAD
from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.measures.service import SERVICE
from hydatis.simulations.virtual_time.record import RunRecord

MEASURES: tuple[Measure, ...] = (*OVERLOAD, *BALANCE, *SERVICE, *CAPACITY)
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


def measure_run(
    record: RunRecord, prices: Prices | None = None, open_nodes: BoolArray | None = None
) -> dict[str, float]:
    """Return every measure of a run by name; NaN where the run has nothing to measure.

    `open_nodes` tells which nodes pods can go to at all; others do not count (None: all do).
    """
    part = CountedPart(record, prices, open_nodes)
    return {measure.name: measure.of(part) for measure in MEASURES}


def markdown_table() -> str:
    """Return the table of the documentation."""
    lines = ["| Measure | Unit | Better | What it is |", "| --- | --- | --- | --- |"]
    lines += [f"| `{each.name}` | {each.unit} | {each.better} | {each.definition} |" for each in MEASURES]
    return "\n".join(lines) + "\n"
