"""Where the sandbox keeps things on this machine: binaries in the user's cache, running sandboxes in the user's
state.
"""

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """`XDG_CACHE_HOME` or ~/.cache; ~/Library/Caches on macOS; then `hydatis`. Not created here."""
    fallback = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return _base("XDG_CACHE_HOME", fallback) / "hydatis"


def state_folder() -> Path:
    """`XDG_STATE_HOME` or ~/.local/state; ~/Library/Application Support on macOS; then `hydatis/sandboxes`. Not created
    here.
    """
    fallback = Path.home() / ("Library/Application Support" if sys.platform == "darwin" else ".local/state")
    return _base("XDG_STATE_HOME", fallback) / "hydatis" / "sandboxes"


def _base(variable: str, fallback: Path) -> Path:
    # The XDG specification says that a relative path is invalid and to be ignored.
    configured = Path(os.environ.get(variable, ""))
    return configured if configured.is_absolute() else fallback
