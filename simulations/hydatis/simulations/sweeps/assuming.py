"""Changes what a scenario assumes, by name, as the command line has it; and writes a scenario down in full."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.virtual_time.scenario import Scenario

_FIXED = frozenset({"name", "nodes", "demand", "assumptions"})
"""Fields of a scenario that are not single numbers."""
_TRUTHS = {"true": True, "false": False}


def assumption_names(scenario: Scenario) -> tuple[str, ...]:
    """Return what can be changed: of the scenario, of its demand, and of its assumptions."""
    own = [one.name for one in fields(scenario) if one.name not in _FIXED]
    return (*own, *(one.name for part in (scenario.demand, scenario.assumptions) for one in fields(part)))


def assuming(scenario: Scenario, changes: Mapping[str, str]) -> Scenario:
    """Return the scenario with other values for what is named.

    Raises:
        SimulationError: a name is unknown, or a value is none of its kind.

    """
    for name, text in changes.items():
        scenario = _assuming_one(scenario, name, text)
    return scenario


def _assuming_one(scenario: Scenario, name: str, text: str) -> Scenario:
    for part in ("assumptions", "demand"):
        inner = getattr(scenario, part)
        if name in {one.name for one in fields(inner)}:
            changed = replace(inner, **{name: _parsed(name, text, getattr(inner, name))})
            return replace(scenario, **{part: changed})
    if name in _FIXED or name not in assumption_names(scenario):
        raise SimulationError(
            f"--assume {name} is no assumption of {scenario.name}; choose from {', '.join(assumption_names(scenario))}."
        )
    return replace(scenario, **{name: _parsed(name, text, getattr(scenario, name))})


def _parsed(name: str, text: str, now: Any) -> Any:
    """Read a value of the kind that the assumption has now."""
    if isinstance(now, bool):
        if text not in _TRUTHS:
            raise SimulationError(f"--assume {name}={text} must be true or false.")
        return _TRUTHS[text]
    if isinstance(now, Enum):
        kinds = {str(each.value): each for each in type(now)}
        if text not in kinds:
            raise SimulationError(f"--assume {name}={text} is unknown; choose from {', '.join(kinds)}.")
        return kinds[text]
    try:
        return int(text) if isinstance(now, int) else float(text)
    except ValueError:
        kind = "a whole number" if isinstance(now, int) else "a number"
        raise SimulationError(f"--assume {name}={text} must be {kind}.") from None


def written_down(value: Any) -> Any:
    """Return a scenario, or part of one, as JSON has it; infinite is a text, as JSON has no such number."""
    if is_dataclass(value):
        return {one.name: written_down(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): written_down(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [written_down(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return "infinite" if value > 0 else "none"
    return value
