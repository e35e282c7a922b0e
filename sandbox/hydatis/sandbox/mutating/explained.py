"""Reads which surviving mutants are known, and why nothing notices them: the tables of docs/mutants.md.

A row names the module, the line as it is and as the mutant has it, and the reason; line numbers change too often.
"""

import re
from pathlib import Path

from hydatis.sandbox.mutating.errors import MutateError
from hydatis.sandbox.mutating.trying import Trial

_ROW = re.compile(r"^\| `([\w.]+)` \| `+ ?(.+?) ?`+ \| `+ ?(.+?) ?`+ \| (.+) \|$")

Explained = frozenset[tuple[str, str, str]]


def read_explained(path: Path) -> Explained:
    """Return module, line before and line after of each row. Raises `MutateError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MutateError(f"--explained {path} cannot be read: {error}.") from error
    return frozenset(
        (row[1], _unescaped(row[2]), _unescaped(row[3])) for line in text.splitlines() if (row := _ROW.match(line))
    )


def key_of(trial: Trial) -> tuple[str, str, str]:
    """Return what a row must say to explain this mutant."""
    return trial.mutant.module.removeprefix("hydatis.scheduler."), trial.before, trial.after


def row_of(trial: Trial, reason: str) -> str:
    """Write the row that explains this mutant."""
    module, before, after = key_of(trial)
    return f"| `{module}` | {_quoted(before)} | {_quoted(after)} | {reason} |"


def _quoted(line: str) -> str:
    escaped = line.replace("|", "\\|")
    return f"`` {escaped} ``" if "`" in escaped else f"`{escaped}`"


def _unescaped(cell: str) -> str:
    return cell.replace("\\|", "|")
