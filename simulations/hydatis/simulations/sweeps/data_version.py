"""Which recorded traces decide a run's result: none where workloads are made up."""

import hashlib
import os
from collections.abc import Mapping

from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.virtual_time.recorded import FOLDERS


def data_version(environment: Mapping[str, str] = os.environ) -> str:
    """Return a digest of all files that workloads are drawn from, by name and content; empty without HYDATIS_DATA.

    Raises:
        TraceError: HYDATIS_DATA names no folder.

    """
    if not environment.get(DATA_VARIABLE):
        return ""
    root = DataFolder.from_environment(environment).path
    digest = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted(path for path in (root / folder).rglob("*") if path.is_file()):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]
