"""Taints and tolerations (k8s.io/api core/v1/toleration.go, ToleratesTaint)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

NO_SCHEDULE: Final = "NoSchedule"
NO_EXECUTE: Final = "NoExecute"
PREFER_NO_SCHEDULE: Final = "PreferNoSchedule"


@dataclass(frozen=True, slots=True)
class Taint:
    """A node's taint."""

    key: str
    value: str
    effect: str

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Taint":
        """Read one entry of `spec.taints`."""
        return cls(manifest.get("key", ""), manifest.get("value", ""), manifest.get("effect", ""))

    @property
    def forbids_scheduling(self) -> bool:
        """Whether a pod that does not tolerate it may not be placed there."""
        return self.effect in {NO_SCHEDULE, NO_EXECUTE}


@dataclass(frozen=True, slots=True)
class Toleration:
    """A pod's toleration."""

    key: str
    operator: str
    value: str
    effect: str

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> "Toleration":
        """Read one entry of `spec.tolerations`."""
        return cls(
            manifest.get("key", ""), manifest.get("operator", ""), manifest.get("value", ""), manifest.get("effect", "")
        )

    def tolerates(self, taint: Taint) -> bool:
        """Tell whether this toleration covers the taint.

        The operators Lt and Gt, off by default in Kubernetes 1.37 (TaintTolerationComparisonOperators), tolerate
        nothing.
        """
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator in {"", "Equal"}:
            return self.value == taint.value
        return self.operator == "Exists"


def tolerated(taint: Taint, tolerations: Iterable[Toleration]) -> bool:
    """Tell whether any of the tolerations covers the taint."""
    return any(toleration.tolerates(taint) for toleration in tolerations)
