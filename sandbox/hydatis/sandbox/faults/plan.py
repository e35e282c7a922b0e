"""Which calls are spoiled, and how often that really happened.

A test makes a `FaultPlan` and changes it while the proxy runs in another thread; the proxy asks `decide` for every call
and tells whether the fault `applied` or the call was `spared`. The generator is passed in, so a seed repeats the dice;
the order of the calls is the clients'.
"""

import random
import threading
from collections import Counter
from dataclasses import dataclass

from hydatis.sandbox.faults.actions import Action
from hydatis.sandbox.faults.calls import Call


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to which calls; None matches everything."""

    name: str
    """What `FaultPlan.count` counts it under."""
    action: Action
    verb: str | None = None
    resource: str | None = None
    namespace: str | None = None
    skip: int = 0
    """How many matching calls pass before the first is spoiled."""
    times: int | None = None
    """How many calls are spoiled at most."""
    probability: float = 1.0
    """Chance of each matching call, 0 to 1."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise ValueError(f"probability {self.probability} of rule {self.name!r} is not from 0 to 1")

    def matches(self, call: Call) -> bool:
        """Whether the rule is about such a call."""
        return (
            self.verb in (None, call.verb)
            and self.resource in (None, call.resource)
            and self.namespace in (None, call.namespace)
        )


class FaultPlan:
    """The rules in force, tried in order: the first that takes a call decides. Safe to use from several threads."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._matched: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self._applied: Counter[str] = Counter()
        self._calls: Counter[tuple[str, str]] = Counter()

    def add(self, *rules: Rule) -> None:
        """Put rules into force, after those that are. Raises ValueError where a name is in use."""
        with self._lock:
            for rule in rules:
                if any(rule.name == other.name for other in self._rules):
                    raise ValueError(f"a rule named {rule.name!r} is in force already; choose another name")
                self._rules.append(rule)

    def clear(self) -> None:
        """Spoil nothing from now on; the counts stay."""
        with self._lock:
            self._rules.clear()

    def decide(self, call: Call) -> Rule | None:
        """The rule that spoils this call, or None where it passes."""
        with self._lock:
            self._calls[call.verb, call.resource] += 1
            for rule in self._rules:
                if rule.matches(call) and self._takes(rule):
                    return rule
            return None

    def applied(self, rule: Rule) -> None:
        """The fault has happened."""
        with self._lock:
            self._applied[rule.name] += 1

    def spared(self, rule: Rule) -> None:
        """The call ended before the fault took effect; the rule may take another in its place."""
        with self._lock:
            self._taken[rule.name] -= 1

    def count(self, name: str) -> int:
        """How often the rule's fault has happened."""
        with self._lock:
            return self._applied[name]

    def taken(self, name: str) -> int:
        """How many calls the rule has taken, its fault done or still to come."""
        with self._lock:
            return self._taken[name]

    def calls(self, verb: str, resource: str) -> int:
        """How many such calls have come, spoiled or not."""
        with self._lock:
            return self._calls[verb, resource]

    def _takes(self, rule: Rule) -> bool:
        self._matched[rule.name] += 1
        if self._matched[rule.name] <= rule.skip:
            return False
        if rule.times is not None and self._taken[rule.name] >= rule.times:
            return False
        if self._dice.random() >= rule.probability:
            return False
        self._taken[rule.name] += 1
        return True
