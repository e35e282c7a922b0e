from pathlib import Path

from hydatis.simulations.measures.catalogue import BY_NAME, MEASURES, markdown_table, measure_run
from hydatis.simulations.measures.measure import Direction
from hydatis.simulations.measures.testing import record

_ROOT = Path(__file__).parents[4]


def test_every_measure_has_a_name_of_its_own_and_a_definition_of_one_sentence() -> None:
    assert len(BY_NAME) == len(MEASURES)
    for measure in MEASURES:
        assert measure.definition.endswith(".")
        assert ". " not in measure.definition
        assert measure.unit


def test_a_run_has_every_measure() -> None:
    assert list(measure_run(record([[50.0]]))) == [measure.name for measure in MEASURES]


def test_which_value_is_worse_depends_on_the_direction() -> None:
    lower, higher = BY_NAME["cpu_p99_percent"], BY_NAME["success_percent"]
    assert (lower.better, higher.better) == (Direction.LOWER, Direction.HIGHER)
    assert (lower.worse_by(90, than=80), higher.worse_by(90, than=80)) == (10, -10)


def test_the_documentation_has_the_table_of_measures() -> None:
    assert markdown_table() in (_ROOT / "docs/simulations.md").read_text()
