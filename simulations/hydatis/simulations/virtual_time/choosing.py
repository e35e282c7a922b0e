"""Policies that choose the node of each pod themselves, instead of scoring nodes for a class of pods.

A profile that is one of them is asked by the run for every pod that has something to choose from; the core still
filters, and whatever is chosen has to pass. Made for what no plugin of the core can be: policies that know the future.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hydatis.scheduler.models.model import Model
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.profile import NO_MODELS, PluginSet, Profile
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.running_pods import RunningPods


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the one who chooses may see: everything."""

    now: float
    settled: float
    """When what pods have left to do was last counted (`RunningPods.settle`)."""
    machines: Machines
    running: RunningPods


class ChoosingProfile(Profile, ABC):
    """A profile that chooses."""

    def under(self, policy: Policy, models: Mapping[str, Model] = NO_MODELS) -> PluginSet:
        """Return the filters alone, whatever the policy: nobody asks for scores."""
        return PluginSet(self.row_filters, self.neighbour_filters, (), ())

    @abstractmethod
    def choose(self, pod: int, seconds_left: float, nodes: Sequence[int], outlook: Outlook) -> int:
        """Return one of `nodes`, which pass every filter and rise; `seconds_left` is how long the pod will run."""
