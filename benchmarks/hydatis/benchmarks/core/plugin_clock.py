"""How long each plugin takes: a profile whose plugins are timed from outside.

Called by the measurement. A timed plugin hands every call on and adds its time to the clock; neither the plugins nor
the core know of it: it is of the same class, which the search for pods that could make way looks at. What it costs
itself, under a microsecond a call, is part of the measured time.
"""

import copy
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from typing import Any

from hydatis.scheduler.profile import Profile


class PluginClock:
    """Seconds by plugin since it was last taken."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def take(self) -> dict[str, float]:
        """Return what has run up, and begin again."""
        taken, self._seconds = dict(self._seconds), defaultdict(float)
        return taken

    def profile(self, profile: Profile) -> Profile:
        """Return the same profile with every plugin timed."""
        timed: dict[str, Any] = {}
        for field in fields(profile):
            value = getattr(profile, field.name)
            if isinstance(value, tuple | list):
                timed[field.name] = tuple(self._timed(plugin) for plugin in value)
        return replace(profile, **timed)

    def _timed(self, plugin: Any) -> Any:
        timed = copy.copy(plugin)
        for name in dir(plugin):
            value = getattr(plugin, name)
            if not name.startswith("_") and callable(value) and not isinstance(value, type):
                setattr(timed, name, self.measured(plugin.name, value))
        return timed

    def measured(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a plugin's method."""

        @wraps(call)
        def timed(*arguments: Any, **named: Any) -> Any:
            start = time.thread_time()
            try:
                return call(*arguments, **named)
            finally:
                self._seconds[name] += time.thread_time() - start

        return timed
