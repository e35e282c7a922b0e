import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from hydatis.simulations.measures.catalogue import MEASURES
from hydatis.simulations.reporting.page import page_of
from hydatis.simulations.reporting.study import Study

pytest.importorskip("matplotlib")

_VOID = frozenset({"meta", "img", "br"})


class Balanced(HTMLParser):
    """Fails where an element ends that is not open; keeps what the page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href"}:
                self.references.append(value or "")
            if name == "id":
                self.names.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(make_study: Callable[..., Study]) -> str:
    return page_of([make_study(seeds=6), replace(make_study(seeds=6), scenario="other <scenario>")], "hydatis & co")


def test_the_page_is_whole_and_needs_nothing_beside_it(page: str) -> None:
    parsed = Balanced()
    parsed.feed(page)
    assert parsed.open == []
    assert "<script" not in page
    for reference in parsed.references:
        assert reference.startswith(("data:image/svg+xml;base64,", "#")), reference[:60]
        assert not reference.startswith("#") or reference[1:] in parsed.names


def test_names_and_texts_are_escaped(page: str) -> None:
    assert "hydatis &amp; co" in page
    assert "other &lt;scenario&gt;" in page
    assert "0.1.0 &lt;test&gt;" in page
    assert "<test>" not in page


def test_the_page_has_every_measure_figure_and_run(page: str) -> None:
    for measure in MEASURES:
        assert f"<code>{measure.name}</code>" in page
    assert page.count("<figure>") == 2 * 6
    assert len(re.findall(r"<code>hydatis simulate --scenario", page)) == 2 * 3 * 6
