"""Where commands of the sandbox write: checked before a long run.

Called by the commands.
"""

import os
from pathlib import Path

from hydatis.sandbox.errors import SandboxError


def check_output(path: Path | None) -> None:
    """Find out before a long run that what `--json` names could not be written; None: nothing is to be.

    Raises `SandboxError` with the remedy.
    """
    if path is None:
        return
    folder = path.absolute().parent
    if path.is_dir() or not folder.is_dir():
        raise SandboxError(f"--json {path}: name a file in a folder that exists.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise SandboxError(f"--json {path} cannot be written; choose another place.")
