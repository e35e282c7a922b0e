"""Checks MLSchedulerPolicy files for `hydatis policy validate`, by the very parser that the operator uses."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hydatis.scheduler.policy import PolicyInvalid, parse_policy

MOST_BYTES = 16 * 2**20
"""A file larger than this is not a set of policies: the API server takes no object above 1.5 MiB."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """How many policies a file holds, and every problem, as sentences."""

    policies: int
    problems: tuple[str, ...]


def check_file(path: Path) -> CheckedFile:
    """Read a file of one or more YAML documents (or JSON) and check each as a policy."""
    try:
        text = sys.stdin.read() if str(path) == "-" else _read(path)
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except OSError as error:
        return CheckedFile(0, (f"it cannot be read: {error.strerror or error}. Check the path.",))
    except UnicodeDecodeError:
        return CheckedFile(0, ("it is not UTF-8 text. Save it as UTF-8.",))
    except yaml.YAMLError as error:
        return CheckedFile(0, (f"it is not YAML: {' '.join(str(error).split())}. Correct that place.",))
    except (RecursionError, ValueError) as error:
        detail = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return CheckedFile(0, (f"it cannot be read as YAML: {detail}. Correct it.",))
    if not documents:
        return CheckedFile(0, ("it holds no policy. Add an MLSchedulerPolicy.",))
    problems: list[str] = []
    for number, document in enumerate(documents, start=1):
        prefix = f"document {number}: " if len(documents) > 1 else ""
        problems.extend(f"{prefix}{problem}" for problem in _check(document))
    return CheckedFile(len(documents), tuple(problems))


def _read(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise OSError(0, f"it is larger than {MOST_BYTES // 2**20} MiB")
    return path.read_text(encoding="utf-8")


def _check(document: Any) -> list[str]:
    try:
        parse_policy(document)
    except PolicyInvalid as invalid:
        return [str(error) for error in invalid.errors]
    return []
