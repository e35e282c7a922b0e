"""Writes what became of the mutants: a document for programs, a table and the survivors for people."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hydatis.sandbox.mutating.explained import Explained, key_of
from hydatis.sandbox.mutating.trying import Trial, Verdict
from hydatis.sandbox.verifying.oracle import kubernetes_version

_COLUMNS = (
    ("disagreed", (Verdict.DISAGREED,)),
    ("failed", (Verdict.FAILED,)),
    ("timed out", (Verdict.TIMED_OUT,)),
    ("unit tests", (Verdict.FAILED_TESTS,)),
    ("survived", (Verdict.SURVIVED,)),
)


def survivors(trials: Sequence[Trial]) -> list[Trial]:
    """Return the mutants that nothing noticed, in the order of their lines."""
    alive = [trial for trial in trials if trial.verdict is Verdict.SURVIVED]
    return sorted(alive, key=lambda trial: (trial.mutant.module, trial.mutant.first_line, trial.mutant.operator))


def unexplained(trials: Sequence[Trial], explained: Explained) -> list[Trial]:
    """Return the survivors that no row explains."""
    return [trial for trial in survivors(trials) if key_of(trial) not in explained]


def report(trials: Sequence[Trial], explained: Explained, *, cases: int, seed: int, seconds: float) -> dict[str, Any]:
    """Return the document that `--json` writes."""
    counted = Counter(trial.verdict for trial in trials)
    return {
        "mutants": len(trials),
        "cases": cases,
        "seed": seed,
        "seconds": round(seconds, 1),
        "kube_scheduler": kubernetes_version(),
        "verdicts": {str(verdict): counted[verdict] for verdict in Verdict},
        "unexplained": len(unexplained(trials, explained)),
        "trials": [
            {
                "module": trial.mutant.module,
                "line": trial.mutant.first_line,
                "operator": trial.mutant.operator,
                "occurrence": trial.mutant.occurrence,
                "before": trial.before,
                "after": trial.after,
                "verdict": str(trial.verdict),
                "told": trial.told,
                "pages": trial.pages,
                "explained": key_of(trial) in explained,
            }
            for trial in trials
        ],
    }


def print_report(trials: Sequence[Trial], explained: Explained, seconds: float, console: Console) -> None:
    """Show what a person wants to know."""
    table = Table(title="What noticed the mutants of each module")
    table.add_column("module")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    by_module: dict[str, Counter[Verdict]] = {}
    for trial in trials:
        by_module.setdefault(trial.mutant.module.removeprefix("hydatis.scheduler."), Counter())[trial.verdict] += 1
    for module, counts in sorted(by_module.items()):
        table.add_row(module, *(f"{sum(counts[verdict] for verdict in verdicts):,}" for _, verdicts in _COLUMNS))
    console.print(table)
    new = unexplained(trials, explained)
    for trial in new:
        mutant = trial.mutant
        console.print(
            escape(
                f"{mutant.module}:{mutant.first_line} {mutant.operator} #{mutant.occurrence}, "
                f"reached by {trial.pages} clusters\n  - {trial.before}\n  + {trial.after}"
            ),
            highlight=False,
        )
    caught = sum(trial.verdict.caught_by_comparison for trial in trials)
    alive = len(survivors(trials))
    console.print(
        f"{len(trials):,} mutants, {seconds:,.0f} s: {caught:,} caught by comparison, "
        f"{len(trials) - caught - alive:,} by unit tests alone, {alive:,} survived, {len(new):,} of them not explained",
        highlight=False,
    )
