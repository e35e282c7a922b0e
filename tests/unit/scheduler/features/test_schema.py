"""Feature schemas, and the rows that follow them."""

from dataclasses import replace

import numpy as np
import pytest

from hydatis.scheduler.features.columns import NODE_SCHEMA, PLACEMENT_SCHEMA, SCHEMAS
from hydatis.scheduler.features.schema import Feature, FeatureSchema
from hydatis.scheduler.models.schemas import KNOWN_SCHEMAS

TWO = FeatureSchema(
    "two", 1, (Feature("a", "share", 0.0, 1.0, 0.25, "one thing"), Feature("b", "", -1.0, 1.0, 0.0, "another"))
)


def test_rows_stay_within_bounds_and_what_is_unknown_is_stood_in_for() -> None:
    table = TWO.table((np.array([0.5, 7.0, np.nan]), -3.0), 3)
    assert table.dtype == np.float32
    assert table.tolist() == [[0.5, -1.0], [1.0, -1.0], [0.25, -1.0]]


def test_columns_that_are_missing_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        TWO.table((1.0,), 3)


def test_the_hash_tells_everything_apart_that_decides_a_value() -> None:
    first, second = TWO.features
    others = [
        replace(TWO, version=2),
        replace(TWO, name="other"),
        replace(TWO, features=(second, first)),
        replace(TWO, features=(replace(first, high=2.0), second)),
        replace(TWO, features=(replace(first, missing=0.0), second)),
    ]
    assert len({TWO.hash, *(other.hash for other in others)}) == 1 + len(others)
    assert replace(TWO, features=(replace(first, meaning="the same thing"), second)).hash == TWO.hash


def test_names_lead_to_columns() -> None:
    assert TWO.index("b") == 1
    with pytest.raises(KeyError, match="two has no feature c"):
        TWO.index("c")
    for schema in SCHEMAS.values():
        names = [feature.name for feature in schema.features]
        assert len(set(names)) == len(names)


def test_models_of_each_kind_are_held_to_its_schema() -> None:
    assert {kind: list(known) for kind, known in KNOWN_SCHEMAS.items()} == {
        kind: [schema.hash] for kind, schema in SCHEMAS.items()
    }
    assert PLACEMENT_SCHEMA.features[: NODE_SCHEMA.width] == NODE_SCHEMA.features
