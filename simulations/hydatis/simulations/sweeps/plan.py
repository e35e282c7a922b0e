"""Which runs a sweep has: every scenario, under every set of assumptions, with every policy and every seed."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.sweeps.job import Job


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. Names are checked by whoever makes the jobs."""

    scenarios: Sequence[str]
    policies: Sequence[str]
    seeds: Sequence[int]
    assumptions: Mapping[str, Sequence[str]]
    """Values of each assumption that is varied, at least one; every combination is run."""

    def variants(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield every scenario with every combination of assumptions."""
        names = list(self.assumptions)
        for scenario in self.scenarios:
            for values in itertools.product(*self.assumptions.values()):
                yield scenario, dict(zip(names, values, strict=True))


def parse_assumptions(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read `NAME=VALUE` and `NAME=VALUE,VALUE`.

    Raises:
        SimulationError: one is written otherwise, or a name or value is there twice.

    """
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        name, equals, values = (part.strip() for part in text.partition("="))
        listed = tuple(value.strip() for value in values.split(","))
        if not (name and equals and all(listed)):
            raise SimulationError(f"--assume {text} is no assumption; write NAME=VALUE or NAME=VALUE,VALUE.")
        if name in found or len(set(listed)) != len(listed):
            raise SimulationError(f"--assume {text} repeats a name or a value; give each once.")
        found[name] = listed
    return found


def parse_changes(given: Sequence[str]) -> dict[str, str]:
    """Read `NAME=VALUE`, one value each.

    Raises:
        SimulationError: one is written otherwise, or a name is there twice.

    """
    found = {}
    for name, values in parse_assumptions(given).items():
        if len(values) > 1:
            raise SimulationError(f"--assume {name}={','.join(values)} has several values; give one.")
        found[name] = values[0]
    return found


def parse_policies(text: str | None, known: Sequence[str]) -> tuple[str, ...]:
    """Read names of policies that are separated by commas; all of them without any.

    Raises:
        SimulationError: a name is unknown or there twice.

    """
    if text is None:
        return tuple(known)
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in known:
            raise SimulationError(f"--policies {name} is unknown; choose from {', '.join(known)}.")
        if names.count(name) > 1:
            raise SimulationError(f"--policies {name} is there twice; give each policy once.")
    return names


def by_variant(jobs: Sequence[Job]) -> dict[str, list[Job]]:
    """Return the jobs of each scenario and set of assumptions, in the order of `jobs`."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.variant, []).append(job)
    return found
