"""The documentation is true to the code where a machine can tell."""

import re
from pathlib import Path

import pytest

from hydatis.operator.command_reference import declared, reference

_ROOT = Path(__file__).parents[3]
_PAGES = sorted([*_ROOT.glob("*.md"), *_ROOT.glob("docs/*.md"), *_ROOT.glob("benchmarks/*.md")])
_TEST = re.compile(r"`(tests/[\w/]+\.py)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_command_reference_is_what_the_commands_say() -> None:
    commands = declared(_ROOT / "pyproject.toml")
    assert (_ROOT / "docs/commands.md").read_text() == reference(commands), "run: make docs"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = _TEST.findall(page.read_text())
    assert [test for test in named if not (_ROOT / test).exists()] == []


@pytest.mark.parametrize("page", sorted(_ROOT.glob("docs/*.md")), ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page: Path) -> None:
    assert f"docs/{page.name}" in (_ROOT / "README.md").read_text()


def test_make_help_explains_every_target() -> None:
    makefile = (_ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    explained = set(re.findall(r"^([a-z0-9]+):.*## \S", makefile, re.MULTILINE))
    assert explained == set(phony.split())
