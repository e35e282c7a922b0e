"""Finds out which lines of the core which page of the book reaches, by running them all once without any change."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from hydatis.sandbox.mutating.book import Page
from hydatis.sandbox.mutating.errors import MutateError
from hydatis.sandbox.mutating.mutants import Mutant

Reached = Mapping[str, Mapping[int, int]]
"""Module to line to the pages that reach it, one bit each."""


def reached(files: Mapping[str, Path], pages: Sequence[Page]) -> Reached:
    """Judge every page and look on. Raises `MutateError` where the two disagree without any change."""
    from hydatis.sandbox.mutating.comparing import first_disagreement  # noqa: PLC0415  imported anew for each mutant

    by_file: dict[str, dict[int, int]] = {str(path): {} for path in files.values()}
    bit = 0

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        lines = by_file.get(frame.f_code.co_filename)
        if lines is None:
            return None

        def note(frame: FrameType, event: str, argument: Any) -> Any:
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) | bit
            return note

        return note(frame, event, argument)

    for position, page in enumerate(pages):
        bit = 1 << position
        sys.settrace(enter)
        try:
            disagreement = first_disagreement([page])
        finally:
            sys.settrace(None)
        if disagreement is not None:
            raise MutateError(f"without any change the two disagree ({disagreement}); run hydatis verify first.")
    return {module: by_file[str(path)] for module, path in files.items()}


def pages_for(mutant: Mutant, reached: Reached, pages: Sequence[Page]) -> list[Page]:
    """Return the pages that run the changed statement."""
    if mutant.runs_on_import:
        return list(pages)
    bits = 0
    for line in range(mutant.first_line, mutant.last_line + 1):
        bits |= reached[mutant.module].get(line, 0)
    return [page for position, page in enumerate(pages) if bits >> position & 1]
