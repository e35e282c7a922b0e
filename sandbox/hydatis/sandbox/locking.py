"""A lock between processes on one machine: held while a file is flocked, free again when its holder ends, however it
ends.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydatis.sandbox.errors import SandboxError

_POLL_SECONDS = 0.2


@contextmanager
def file_lock(path: Path, *, wait_seconds: float, busy: str) -> Iterator[None]:
    """Hold the lock on `path`, created where missing. Raises `SandboxError(busy)` if it is not free within
    `wait_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise SandboxError(busy) from None
                time.sleep(_POLL_SECONDS)
        yield
