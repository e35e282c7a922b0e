"""Mutants of the core are made, tried and told; the slice here takes seconds, `hydatis mutate` tries all."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from hydatis.sandbox.mutating.book import Page, write_book
from hydatis.sandbox.mutating.errors import MutateError
from hydatis.sandbox.mutating.mutants import RULES, Mutant, modules, mutants_of
from hydatis.sandbox.mutating.running import survey, try_all
from hydatis.sandbox.mutating.trying import Trial, Verdict
from hydatis.sandbox.verifying.oracle import provide_oracle

ROOT = Path(__file__).resolve().parents[3]
TESTS = ROOT / "tests" / "unit" / "scheduler"
NODE_NAME = "hydatis.scheduler.plugins.node_name"
SELECTING = "hydatis.scheduler.selecting"

SOURCE = '''"""A module with 1 number in its docstring."""

LIMIT: int | None = 3


def room(used: list[int | None], most: int = 4) -> int | None:
    """Return 5."""
    total = 0
    for amount in used:
        if amount is not None and amount > 0:
            total += amount
    return most - total if total < most else None
'''


@pytest.fixture(scope="module")
def pages() -> list[Page]:
    return write_book(provide_oracle(), 320, 1)


def tried(mutants: list[Mutant], pages: list[Page], tests: Path | None = None) -> list[Trial]:
    files = modules((NODE_NAME.removeprefix("hydatis.scheduler."), "selecting"))
    trials: list[Trial] = []
    try_all(mutants, files, pages, survey(files, pages), trials, tests=tests, jobs=2)
    return trials


def of(module: str) -> list[Mutant]:
    return mutants_of(module, modules((module.removeprefix("hydatis.scheduler."),))[module].read_text("utf-8"))


def test_mutants_change_code_and_leave_annotations_and_docstrings_alone() -> None:
    made = mutants_of("m", SOURCE)
    assert {mutant.first_line for mutant in made} == {3, 6, 8, 9, 10, 12}
    assert not [mutant for mutant in made if "BitOr" in mutant.operator]
    assert {mutant.first_line for mutant in made if mutant.runs_on_import} == {3, 6}


def test_operators_give_way_to_near_ones_unless_all_are_asked_for() -> None:
    few, every = (
        Counter(mutant.operator for mutant in mutants_of("m", SOURCE, every_replacement=asked))
        for asked in (False, True)
    )
    assert "core/ReplaceComparisonOperator_Gt_GtE" in few
    assert "core/ReplaceComparisonOperator_Gt_Eq" not in few
    assert every["core/ReplaceComparisonOperator_Gt_Eq"] == 1
    assert few.items() <= every.items()


def test_every_module_of_rules_exists_and_a_mistaken_one_is_told() -> None:
    assert len(modules(RULES)) > len(RULES)
    with pytest.raises(MutateError, match=r"--module plugins\.nonsense is no module of hydatis\.scheduler"):
        modules(("plugins.nonsense",))


def test_a_broken_rule_is_caught_by_comparison_and_nothing_else_is_touched(pages: list[Page]) -> None:
    trials = tried(of(NODE_NAME), pages)
    assert trials
    assert {trial.verdict.caught_by_comparison for trial in trials} == {True}
    assert all(trial.told for trial in trials)
    assert "filter NodeName" in {trial.told for trial in trials}
    # The mutants lived in processes of their own.
    files = modules(("plugins.node_name",))
    assert survey(files, pages).seconds > 0


def test_what_no_case_reaches_is_left_to_the_unit_tests(pages: list[Page]) -> None:
    (flipped,) = (mutant for mutant in of(NODE_NAME) if mutant.operator == "core/AddNot")
    (caught,) = tried([flipped], [], tests=TESTS)
    assert (caught.verdict, caught.pages) == (Verdict.FAILED_TESTS, 0)


def test_a_mutant_that_changes_nothing_one_can_see_survives(pages: list[Page]) -> None:
    # How far the runner-up is looked for shows in no placement.
    survivors = [trial for trial in tried(of(SELECTING), pages) if trial.verdict is Verdict.SURVIVED]
    assert survivors
    assert all(trial.before != trial.after for trial in survivors)


def test_the_command_tells_of_each_mutant_and_asks_for_a_reason(tmp_path: Path) -> None:
    out = tmp_path / "mutants.json"
    program = "import sys; from hydatis.operator.command_line import main; sys.exit(main())"
    arguments = ["mutate", "--module", "plugins.node_ports", "--cases", "80", "--json", str(out)]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    document = json.loads(out.read_text())
    alive = document["verdicts"]["survived"]
    assert document["mutants"] == len(document["trials"]) > 0
    assert (alive, result.returncode) in {(0, 0), (alive, 1)}, result.stderr
    assert f"{alive} survived" in result.stdout


def test_a_command_that_cannot_work_says_so_at_once(tmp_path: Path) -> None:
    program = "import sys; from hydatis.operator.command_line import main; sys.exit(main())"
    for arguments, said in (
        (["--explained", str(tmp_path / "none.md")], "cannot be read"),
        (["--tests", str(tmp_path / "none")], "is no folder"),
        (["--module", "nonsense"], "is no module"),
        (["--json", str(tmp_path / "none" / "x.json")], "name a file in a folder that exists"),
    ):
        result = subprocess.run(
            [sys.executable, "-c", program, "mutate", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 1
        assert said in result.stderr
