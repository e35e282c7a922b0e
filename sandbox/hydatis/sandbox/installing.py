"""Installs HYDATIS into a sandbox with the real Helm, from the chart that ships."""

import json
from collections.abc import Mapping
from pathlib import Path

from hydatis.sandbox.bundled import chart
from hydatis.sandbox.certificates import write_private
from hydatis.sandbox.controlplane import ControlPlane

SERVICE_ACCOUNT = "ml-scheduler-sa"
"""The service account that the chart creates for the operator."""


def install_chart(
    control_plane: ControlPlane,
    *,
    namespace: str = "hydatis-system",
    values: Mapping[str, object] | None = None,
    models: bool = False,
) -> Path:
    """Install the chart, or upgrade it to other `values`; the kubeconfig of its service account.

    The Deployment has no replicas here: nothing runs its pods. The operator runs as a local process with the kubeconfig
    returned. `models` are those that ship, with the policy that scores the pods of everybody by them; without, the
    heuristic scores. Raises `SandboxError` with Helm's own message.
    """
    chosen: dict[str, object] = {"replicas": 0, "models": {"install": models}, **(values or {})}
    path = control_plane.directory / "configuration" / "values.json"
    write_private(path, json.dumps(chosen).encode())
    control_plane.helm(
        "upgrade",
        "--install",
        "hydatis",
        str(chart()),
        "--namespace",
        namespace,
        "--create-namespace",
        "--values",
        str(path),
        # As the documentation has it: the models need definitions that are served.
        *(["--wait"] if models else []),
    )
    return control_plane.service_account_kubeconfig(namespace, SERVICE_ACCOUNT)
