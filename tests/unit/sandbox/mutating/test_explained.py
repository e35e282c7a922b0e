"""Survivors are explained by rows that name the line as it is and as the mutant has it."""

from pathlib import Path

import pytest

from hydatis.sandbox.mutating.errors import MutateError
from hydatis.sandbox.mutating.explained import key_of, read_explained, row_of
from hydatis.sandbox.mutating.mutants import Mutant
from hydatis.sandbox.mutating.reporting import unexplained
from hydatis.sandbox.mutating.trying import Trial, Verdict, change

MUTANT = Mutant("hydatis.scheduler.plugins.node_name", "core/AddNot", 0, 3, 3, runs_on_import=False)


def survivor(before: str, after: str, verdict: Verdict = Verdict.SURVIVED) -> Trial:
    return Trial(MUTANT, verdict, "", before, after, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [("if a:", "if not a:"), ("x = a | b", "x = a & b"), ('"`x`"', '"`y`"'), ("a[0]", "a[ 1]")],
)
def test_a_row_explains_the_mutant_it_was_written_for_and_no_other(tmp_path: Path, before: str, after: str) -> None:
    document = tmp_path / "mutants.md"
    document.write_text(f"# Mutants\n\n| module | line | mutant | why |\n{row_of(survivor(before, after), 'Equal.')}\n")
    explained = read_explained(document)
    assert explained == {key_of(survivor(before, after))}
    known, other = survivor(before, after), survivor(before, f"{after} # other")
    caught = survivor("caught", "caught", Verdict.DISAGREED)
    assert unexplained([known, other, caught], explained) == [other]


def test_a_document_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MutateError, match="cannot be read"):
        read_explained(tmp_path / "none.md")


def test_a_change_is_told_by_the_lines_that_differ() -> None:
    assert change("a\n  b = 1\nc\n", "a\n  b = 2\nc\n") == ("b = 1", "b = 2")
    assert change("a\nb\nb\nc", "a\nb\nc") == ("b", "")
