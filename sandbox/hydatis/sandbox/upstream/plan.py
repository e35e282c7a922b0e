"""What a run of Kubernetes' scheduling tests is asked to be. Imports nothing heavy: the command line reads it."""

from dataclasses import dataclass
from enum import StrEnum


class Scheduler(StrEnum):
    """Who schedules the tests' pods."""

    HYDATIS = "hydatis"
    KUBE_SCHEDULER = "kube-scheduler"


class Naming(StrEnum):
    """Under which name HYDATIS schedules the tests' pods."""

    DEFAULT_SCHEDULER = "default-scheduler"
    """It takes the default scheduler's place and name."""
    INJECTED = "injected"
    """It keeps its own name, which an admission policy writes into every new pod."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and on what."""

    scheduler: Scheduler
    naming: Naming
    nodes: int
    """Of each rig."""
    seed: int
    """Of the tests' order, and of HYDATIS's ties."""
    rigs: int
    """Clusters side by side; never more than tests."""
