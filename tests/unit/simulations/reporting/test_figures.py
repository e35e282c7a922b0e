from collections.abc import Callable, Sequence
from xml.etree import ElementTree

import pytest

from hydatis.simulations.reporting import figures
from hydatis.simulations.reporting.study import Study

pytest.importorskip("matplotlib")

COST = ("nodes_used", "cost_usd_a_day")
Draw = Callable[[Study, Sequence[str]], str]


@pytest.mark.parametrize(
    "draw",
    [
        figures.utilisation_over_time,
        figures.utilisation_distribution,
        figures.overload,
        figures.over_time_by_policy,
        lambda study, policies: figures.intervals(study, policies, COST),
    ],
)
@pytest.mark.parametrize("policies", [("KubeScheduler",), ("KubeScheduler", "Even", "Clairvoyant", "A", "B")])
def test_a_figure_is_an_svg_of_its_own_and_the_same_every_time(
    draw: Draw, policies: tuple[str, ...], make_study: Callable[..., Study]
) -> None:
    study = make_study(policies, seeds=2)
    svg = draw(study, policies)
    root = ElementTree.fromstring(svg.encode())  # noqa: S314 - made a moment ago
    assert root.tag.endswith("svg")
    assert "http://" not in svg.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )
    assert draw(study, policies) == svg
