"""Becomes the program named in its arguments, one that the kernel kills when its parent ends (Linux only).

Run as a script: `python -I -S parent_death.py PARENT_PID PROGRAM ARGUMENT…`. It stands between fork and exec because
Python code in a forked child of a process with threads may deadlock. The process id and start time stay the same
through exec.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


def main() -> None:
    """Ask for SIGKILL at the parent's death, then become the program."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        sys.exit(f"prctl(PR_SET_PDEATHSIG): {os.strerror(ctypes.get_errno())}")
    # The parent may have died before the request; then no signal comes any more.
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the parent process is gone")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606


if __name__ == "__main__":
    main()
