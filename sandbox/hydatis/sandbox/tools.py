"""Runs the command-line tools that the sandbox brings: kubectl and Helm, at the version of the API server."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from hydatis.sandbox.building import provide
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program

_COMMAND_SECONDS = 120.0


def run_tool(
    program: Program, command: Sequence[str], *, stdin: str | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """What `program` prints; built first where it is missing. `environment` is added to this process's own.

    Raises `SandboxError` with the tool's error text where it fails, or does not end within two minutes.
    """
    binary = provide([program])[program]
    try:
        answer = subprocess.run(
            [str(binary), *command],
            env=os.environ | dict(environment or {}),
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"{program} {command[-1]} did not end within {_COMMAND_SECONDS:.0f} s") from None
    if answer.returncode != 0:
        raise SandboxError(f"{program} failed ({answer.returncode}): {answer.stderr.strip() or answer.stdout.strip()}")
    return answer.stdout
