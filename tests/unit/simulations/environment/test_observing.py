from pathlib import Path

import pytest

pytest.importorskip("gymnasium")
observing = pytest.importorskip("hydatis.simulations.environment.observing")

_ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("features", [observing.NODE_FEATURES, observing.POD_FEATURES])
def test_the_documentation_has_the_tables_of_features(features: object) -> None:
    assert observing.markdown_table(features) in (_ROOT / "docs/simulations.md").read_text()
