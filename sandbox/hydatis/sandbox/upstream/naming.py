"""How the tests' pods come to HYDATIS: they name no scheduler, and the API server then writes `default-scheduler`."""

import time
from typing import Any

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError

DEFAULT_NAME = "default-scheduler"
HYDATIS_NAME = "hydatis"
_NAME = "inject-scheduler-name"
_PATH = "/apis/admissionregistration.k8s.io/v1"
_IN_FORCE_SECONDS = 30.0
_POLL_SECONDS = 0.2


def inject_name(control_plane: ControlPlane, name: str) -> None:
    """Let the API server write `name` into every new pod that would go to the default scheduler.

    Returns when the policy is in force. Raises `SandboxError` where it does not come into force.
    """
    api = control_plane.api
    api.call("POST", f"{_PATH}/mutatingadmissionpolicies", _policy(name))
    api.call("POST", f"{_PATH}/mutatingadmissionpolicybindings", _binding())
    deadline = time.monotonic() + _IN_FORCE_SECONDS
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe"},
        "spec": {"containers": [{"name": "main", "image": "pause"}]},
    }
    while api.call("POST", "/api/v1/namespaces/default/pods?dryRun=All", probe)["spec"]["schedulerName"] != name:
        if time.monotonic() >= deadline:
            raise SandboxError(f"the policy {_NAME} is not in force after {_IN_FORCE_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)


def _policy(name: str) -> dict[str, Any]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    expression = f'Object{{spec: Object.spec{{schedulerName: "{name}"}}}}'
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": _NAME},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [
                {"name": "unnamed", "expression": f"object.spec.schedulerName == '{DEFAULT_NAME}'"},
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}],
        },
    }


def _binding() -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": _NAME},
        "spec": {"policyName": _NAME},
    }
