"""What runs in which sandbox: one record a sandbox, in the user's state folder, so that a later command finds and ends
what a crash left.

A record is written before and after every change of a process and goes away when the sandbox has stopped. It lies
outside the sandbox's own directory, which may be deleted under running processes.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hydatis.sandbox.certificates import write_private
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.folders import state_folder
from hydatis.sandbox.processes import ChildProcess, ProcessIdentity


@dataclass(slots=True)
class ComponentRecord:
    """One process of a sandbox."""

    process: ProcessIdentity
    ports: tuple[int, ...]
    """The first is the one its clients use."""
    command: list[str]
    log: str


@dataclass(slots=True)
class SandboxRecord:
    """The processes of one sandbox, in the order they were started."""

    directory: Path
    owner: ProcessIdentity | None
    """Whose end is the sandbox's end; None for a detached sandbox that is up."""
    components: dict[str, ComponentRecord] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The record's file."""
        return record_path(self.directory)

    def save(self) -> None:
        """Write it, whole or not at all."""
        content = {
            "directory": str(self.directory),
            "owner": None if self.owner is None else asdict(self.owner),
            "components": {name: asdict(component) for name, component in self.components.items()},
        }
        write_private(self.path, json.dumps(content, indent=2).encode())

    def discard(self) -> None:
        """Remove it: nothing of the sandbox runs."""
        self.path.unlink(missing_ok=True)

    def abandoned(self) -> bool:
        """True if its owner has ended without stopping it."""
        return self.owner is not None and not self.owner.alive()

    def alive(self) -> bool:
        """True if any of its processes runs."""
        return any(component.process.alive() for component in self.components.values())

    def end(self, *, kill: bool = False) -> int:
        """End every process that still runs, the last started first; the number ended. Then discard the record."""
        ended = 0
        for component in reversed(self.components.values()):
            if component.process.alive():
                ChildProcess(component.process, Path(component.log)).stop(kill=kill)
                ended += 1
        self.discard()
        return ended


def record_path(directory: Path) -> Path:
    """The file of the record of the sandbox in `directory`."""
    digest = hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    return state_folder() / "records" / f"{digest}.json"


def find_record(directory: Path) -> SandboxRecord | None:
    """The record of the sandbox in `directory`, or None. Raises `SandboxError` if the file is not a record."""
    return _read(record_path(directory))


def reap_abandoned() -> int:
    """End the processes of every sandbox whose owner has ended; the number of processes ended.

    A file that is no record is left alone: what it spoke of cannot be known.
    """
    return sum(record.end(kill=True) for record in _records() if record.abandoned())


def _records() -> Iterator[SandboxRecord]:
    for path in sorted((state_folder() / "records").glob("*.json")):
        try:
            record = _read(path)
        except SandboxError:
            continue
        if record is not None:
            yield record


def _read(path: Path) -> SandboxRecord | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _parse(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SandboxError(
            f"{path} is not the record of a sandbox ({type(error).__name__}: {error}); "
            "delete it after ending the processes of the sandbox by hand"
        ) from error


def _parse(content: Any) -> SandboxRecord:
    owner = content["owner"]
    return SandboxRecord(
        Path(content["directory"]),
        None if owner is None else _identity(owner),
        {
            str(name): ComponentRecord(
                _identity(entry["process"]),
                tuple(int(port) for port in entry["ports"]),
                [str(part) for part in entry["command"]],
                str(entry["log"]),
            )
            for name, entry in dict(content["components"]).items()
        },
    )


def _identity(content: Any) -> ProcessIdentity:
    pid = content["pid"]
    # Signals to 0, 1 or a negative number would reach far more than one process of ours.
    if not isinstance(pid, int) or pid <= 1:
        raise ValueError(f"pid {pid!r}")
    return ProcessIdentity(pid, str(content["started"]))
