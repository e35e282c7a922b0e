"""Finds the files that the sandbox takes from the rest of the project: the Go modules, the CRDs and the Helm chart.

In a source checkout they are where they are kept; an installed wheel carries them in `hydatis/sandbox/bundled`.
"""

from pathlib import Path

from hydatis.sandbox.errors import SandboxError

_CHECKOUT = Path(__file__).resolve().parents[3]
_WHEEL = Path(__file__).resolve().parent / "bundled"


def tool_module() -> Path:
    """The folder with the go.mod and go.sum that pin the control plane's programs."""
    return _find("tests/controlplane", "controlplane", "go.sum")


def oracle_module() -> Path:
    """The folder of the Go program that asks kube-scheduler's own plugins."""
    return _find("tests/oracle", "oracle", "go.sum")


def upstream_module() -> Path:
    """The folder of the Go test package that holds Kubernetes' own end-to-end tests for schedulers."""
    return _find("tests/upstream", "upstream", "go.sum")


def chart() -> Path:
    """The folder of the Helm chart that installs HYDATIS."""
    return _find("charts/hydatis", "charts/hydatis", "Chart.yaml")


def custom_resource_definitions() -> Path:
    """The folder of the custom resource definitions."""
    return _find("crds", "crds", "")


def default_models() -> Path:
    """The folder with the manifests of the models that ship, and of the policy that names them."""
    return _find("models", "models", "policy.yaml")


def _find(in_checkout: str, in_wheel: str, landmark: str) -> Path:
    candidates = (_CHECKOUT / in_checkout, _WHEEL / in_wheel)
    for folder in candidates:
        if (folder / landmark).exists():
            return folder
    places = " or ".join(str(folder) for folder in candidates)
    raise SandboxError(
        f"{landmark or in_checkout} is not in {places}; install HYDATIS again or run it from a complete checkout"
    )
