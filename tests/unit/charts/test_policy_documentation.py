"""The examples in docs/policies.md are valid, or give just the errors that the text promises."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.scheduler.policy import KIND, SCORE_PLUGIN_WEIGHTS, Heuristic, PolicyInvalid, parse_policy

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
REFUSED = [block for block in BLOCKS if block.startswith("# refused")]
GOOD = [manifest for block in BLOCKS if block not in REFUSED if (manifest := yaml.safe_load(block))["kind"] == KIND]


def table_after(heading: str) -> dict[str, str]:
    """First and second column of the first table after a line that begins so."""
    _, _, rest = TEXT.partition(heading)
    rows = re.findall(r"^\| `(\w[\w.]*)` \| ([^|]*) \|", rest.split("\n\n```")[0], re.MULTILINE)
    return {name: cell.strip() for name, cell in rows}


def test_there_are_examples_to_test() -> None:
    assert (len(GOOD), len(REFUSED)) == (7, 1)


@pytest.mark.parametrize("manifest", GOOD, ids=lambda manifest: str(manifest["metadata"]["name"]))
def test_an_example_is_a_valid_policy(manifest: dict[str, Any]) -> None:
    assert parse_policy(manifest).name == manifest["metadata"]["name"]


def test_the_refused_example_gives_the_errors_that_the_text_shows() -> None:
    shown = re.search(r"the errors are\n\n```text\n(.*?)```", TEXT, re.DOTALL)
    assert shown is not None
    with pytest.raises(PolicyInvalid) as raised:
        parse_policy(yaml.safe_load(REFUSED[0]))
    assert [str(error) for error in raised.value.errors] == shown.group(1).splitlines()


def test_the_tables_list_every_heuristic_and_every_plugin_with_its_weight() -> None:
    tables = table_after("## How nodes are scored")
    assert set(tables) == {*Heuristic, *SCORE_PLUGIN_WEIGHTS}
    assert {plugin: tables[plugin] for plugin in SCORE_PLUGIN_WEIGHTS} == {
        plugin: str(weight) for plugin, weight in SCORE_PLUGIN_WEIGHTS.items()
    }
