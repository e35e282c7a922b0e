"""What is reported of one scenario: its runs and what they show."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hydatis.simulations.comparing import Comparison, compare
from hydatis.simulations.sweeps.job import Job
from hydatis.simulations.sweeps.summary import RunSummary


@dataclass(frozen=True)
class Study:
    """The runs of one scenario, at least one of the reference."""

    scenario: str
    """Its name, with the assumptions that differ from its own."""
    runs: Mapping[str, Sequence[RunSummary]]
    """By policy, by rising seed; policies in the order asked for, each with at least one run."""
    missing: Sequence[Job]
    """Runs that an interruption left out."""
    reference: str

    @cached_property
    def comparison(self) -> Comparison:
        """What the runs show."""
        return compare(
            {policy: {run.job.seed: run.measures for run in runs} for policy, runs in self.runs.items()}, self.reference
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """All seeds that any policy has."""
        return tuple(sorted({run.job.seed for runs in self.runs.values() for run in runs}))

    @property
    def first(self) -> RunSummary:
        """Some run: scenario and code are those of all."""
        return next(iter(self.runs.values()))[0]


def command_of(job: Job) -> str:
    """Return the command that repeats one run, in a shell."""
    words = ["hydatis", "simulate", "--scenario", job.scenario, "--policies", job.policy]
    words += ["--first-seed", str(job.seed), "--seeds", "1"]
    for name, text in sorted(job.assumptions.items()):
        words += ["--assume", f"{name}={text}"]
    return shlex.join(words)
