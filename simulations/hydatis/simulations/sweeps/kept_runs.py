"""A folder with one file for each run that is done.

A file appears whole or not at all, under a name with the run's key, so that any number of sweeps may share a folder and
one that died goes on from what is there. Files are JSON; nothing in them is executed.
"""

import os
import tempfile
from pathlib import Path

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.summary import RunSummary

_KEY_LENGTH = 20
"""Of the key in file names; the file holds all of it."""


class KeptRuns:
    """The runs in a folder, which is made when it is not there.

    Raises:
        SimulationError: it cannot be made or written.

    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SimulationError(f"--keep {folder} cannot be used ({error.strerror}); name a folder.") from error
        if not os.access(folder, os.W_OK):
            raise SimulationError(f"--keep {folder} cannot be written; choose another folder.")
        self.folder = folder

    def path(self, job: Job) -> Path:
        """Return where the run is or would be kept."""
        return self.folder / f"{job.scenario}-{job.policy}-{job.seed}-{job.key[:_KEY_LENGTH]}.json"

    def find(self, job: Job) -> RunSummary | None:
        """Return the run if it is there and whole; one that is not is run again."""
        try:
            summary = RunSummary.of_text(self.path(job).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return summary if summary.job.key == job.key else None

    def keep(self, summary: RunSummary) -> None:
        """Write a run.

        Raises:
            SimulationError: the disk refuses.

        """
        path = self.path(summary.job)
        try:
            _write_whole(path, summary.text())
        except OSError as error:
            raise SimulationError(f"{path} cannot be written ({error.strerror}); make room.") from error


def _write_whole(path: Path, text: str) -> None:
    """Write beside the file, then rename: a reader finds all of it or nothing, whenever this process dies."""
    descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
