"""Looks at every file of a source: is it there, is it the one meant, can it be read?

Called by `hydatis traces verify`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from hydatis.simulations.traces.errors import TraceError
from hydatis.simulations.traces.folder import DataFolder, FileState
from hydatis.simulations.traces.sources import Source


@dataclass(frozen=True, slots=True)
class SourceState:
    """What was found of one source."""

    source: str
    files: dict[str, FileState]
    """By name relative to the data folder; empty when the source is not there at all."""
    content: str
    """One line about what was read; empty when nothing could be."""
    problem: str
    """Why it could not be read; empty when it could, or is not there at all."""

    @property
    def absent(self) -> bool:
        """Whether the folder has nothing of this source, which is no fault: no source is needed by all."""
        return not self.files

    @property
    def sound(self) -> bool:
        """Whether all of it is there, unaltered as far as checksums tell, and readable."""
        broken = {FileState.ALTERED, FileState.MISSING}
        return not self.absent and not self.problem and broken.isdisjoint(self.files.values())


def verify(folder: DataFolder, sources: Iterable[Source]) -> list[SourceState]:
    """Check the files of each source, then read it. Raises `TraceMalformed` only for a SHA256SUMS that is none."""
    return [_verify(folder, source) for source in sources]


def _verify(folder: DataFolder, source: Source) -> SourceState:
    names = {name for pattern in source.patterns for name in folder.expected(pattern)}
    for pattern in source.patterns:
        names.update(path.relative_to(folder.path).as_posix() for path in folder.path.glob(pattern))
    files = {name: folder.state(folder.path / name) for name in sorted(names)}
    if not files:
        return SourceState(source.name, files, "", "")
    try:
        return SourceState(source.name, files, source.read(folder), "")
    except TraceError as error:
        return SourceState(source.name, files, "", str(error))
