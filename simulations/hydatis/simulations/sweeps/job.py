"""What a run is: everything that decides its result, and the key under which it is kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Job:
    """One run that is to be made. Plain values only, so that it can go to another machine."""

    scenario: str
    policy: str
    seed: int
    assumptions: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What differs from the scenario's own assumptions, by name, as the command line has it."""
    configuration: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The scenario in full, with its assumptions: numbers, texts, lists and mappings."""
    data: str = ""
    """Digest of the recorded traces that the workload is made from; empty where it is made up."""
    code: str = ""
    """`code_version` of the one who wants the run."""

    @property
    def key(self) -> str:
        """SHA-256 over all that decides the result: the configuration holds what the assumptions came to."""
        deciding = {
            "scenario": self.scenario,
            "policy": self.policy,
            "seed": self.seed,
            "configuration": dict(self.configuration),
            "data": self.data,
            "code": self.code,
        }
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    @property
    def label(self) -> str:
        """How progress and errors name it."""
        return f"{self.variant}, {self.policy}, seed {self.seed}"

    @property
    def variant(self) -> str:
        """The scenario's name, with what differs from it."""
        return " ".join([self.scenario, *(f"{name}={text}" for name, text in sorted(self.assumptions.items()))])
