from datetime import datetime
from typing import Any

import pytest

from hydatis.scheduler.models.weights import MOST_BYTES
from hydatis.simulations.errors import SimulationError
from hydatis.simulations.markdown import results_table
from hydatis.simulations.training.tracking.card import card_text
from hydatis.simulations.training.tracking.testing import made_model


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"onnx": b""}, "the exported model has 0 bytes"),
        ({"onnx": bytes(MOST_BYTES + 1)}, f"a cluster takes 1 to {MOST_BYTES}: train a smaller one"),
        ({"schema_hash": "no hash"}, "the schema hash is 'no hash'; give 8 to 64 hexadecimal digits"),
        ({"data": ""}, "the description of the data has 0 characters"),
        ({"metrics": {"error": float("nan")}}, "the metric error is nan; leave it out where it is not known"),
        ({"metrics": {f"m{number}": 0.0 for number in range(65)}}, "there are 65 metrics; give at most 64"),
        ({"metrics": {"per cent %": 1.0}}, "'per cent %' is no valid name"),
        ({"curves": {"": [1.0]}}, "'' is no valid name"),
        ({"parameters": {"note": "x" * 6001}}, "the parameters are too many or too long"),
        ({"figures": {"../x.png": b""}}, "the figure '../x.png' has no valid file name"),
        ({"started": datetime(2026, 1, 17)}, "the start of the training has no time zone"),
    ],
)
def test_what_could_not_be_registered_is_refused_when_it_is_made(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(SimulationError) as caught:
        made_model(**changes)
    assert problem in str(caught.value)


def test_a_card_says_what_how_good_and_how_to_repeat_it() -> None:
    table = results_table(["scores by", "error"], [["model | mine", "0.1"], ["mean", "0.3"]])
    card = card_text(
        title="Load", what="Predicts.", data="Days.", results=table, limits=["None known."], reproduce="hydatis train x"
    )
    assert card.splitlines() == [
        *("# Load", "", "Predicts.", "", "## Data", "", "Days.", "", "## How good it is", ""),
        *("| scores by | error |", "| --- | ---: |", "| model \\| mine | 0.1 |", "| mean | 0.3 |", ""),
        *("## Limits", "", "- None known.", "", "## Reproduce", "", "```sh", "hydatis train x", "```"),
    ]
