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
    """What `program` prints; built first where it is missing.

    `environment` is added to this process's own, which is rid of settings for the two tools. Raises `SandboxError` with
    the tool's error text where it fails, or does not end within two minutes.
    """
    binary = provide([program])[program]
    # The user's own settings may name another cluster (HELM_KUBEAPISERVER) or change what commands do (kuberc).
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KUBE"))}
    try:
        answer = subprocess.run(
            [str(binary), *command],
            env=kept | {"KUBERC": "off"} | dict(environment or {}),
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
