"""What a simulated cluster is like, and everything that is assumed of it because no trace says so.

`catalogue` names scenarios; sweeps change single assumptions with `dataclasses.replace`.
"""

from dataclasses import dataclass, field, fields
from enum import StrEnum

from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.errors import SimulationError


class Part(StrEnum):
    """Which days and machines of the traces a workload is drawn from: what is tuned on one is measured on another."""

    TRAINING = "training"
    VALIDATION = "validation"
    HELD_OUT = "held-out"


class Load(StrEnum):
    """How much of the cluster is asked for."""

    LIGHT = "light"
    FULL = "full"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What no trace tells. Times are seconds, rates are a node and day; all are free to be swept."""

    step_seconds: float = 30.0
    """What pods use, and who is throttled, is computed this often; a pod that starts in between runs undisturbed until
    then. Above 0.
    """
    sample_seconds: float = 60.0
    """The record has a sample this often; a multiple of `step_seconds`."""

    scrape_seconds: float = 30.0
    """Metrics of nodes are scraped this often; a multiple of `step_seconds`."""
    pod_scrape_seconds: float = 60.0
    """Those of pods this often; a multiple of `scrape_seconds`. By default each window of a pod is seen once."""
    window_seconds: float = 60.0
    """A scraped sample is the mean over the window that ends with the scrape; a multiple of `step_seconds`."""
    delivery_seconds: float = 15.0
    """From the scrape until the scheduler knows."""
    missing_share: float = 0.05
    """Share of nodes whose metrics are missing, on average; 0 to below 1."""
    missing_spell_seconds: float = 600.0
    """How long metrics of a node stay missing, on average (geometric); at least `scrape_seconds`."""

    history_seconds: float = 172_800.0
    """For how long before the run the scheduler has seen what owners' pods use; 0: it knows nothing of anybody."""
    new_owners_share: float = 0.1
    """Share of owners whose pods have not been seen before; 0 to 1."""

    bind_seconds: float = 0.0
    """From the decision until the pod runs: binding, and starting its containers."""

    best_effort_least_percent: float = 2.0
    """Percent of a node's CPU that best-effort pods keep when the others want all of it; above 0, or they never end."""
    stretch: float = 1.0
    """How much of the CPU time that a pod was denied it needs later: 1 all of it, 0 none (throttling has no effect on
    lifetimes).
    """

    memory_kill_percent: float = 100.0
    """Above this share of a node's memory pods are killed."""
    restart_seconds: float = 10.0
    """Until a killed pod's owner makes it again; doubles with each kill (Kubernetes' Job controller: 10 s doubling to
    360 s, pkg/controller/job/job_controller.go).
    """
    restart_most_seconds: float = 360.0
    """Longest such wait."""
    most_kills: int = 6
    """After so many its owner makes it no more (a Job's default `backoffLimit`)."""
    best_effort_starts_over: bool = True
    """Whether a best-effort pod that was killed, lost or evicted has all its work to do again; others, which serve and
    have no work to lose, always run for what was left.
    """
    recreation_seconds: float = 1.0
    """From the end of an evicted or lost pod's object until its owner has made it again."""

    failures_a_node_day: float = 0.0
    """How often a node fails: its pods stop at once."""
    detection_seconds: float = 50.0
    """From the failure until the node's taints say so (kube-controller-manager's default --node-monitor-grace-period).
    """
    toleration_seconds: float = 300.0
    """From there until the node's pods are deleted (the default toleration of node.kubernetes.io/unreachable)."""
    repair_seconds: float = 3600.0
    """From there until the node is back, on average (exponential)."""
    drains_a_node_day: float = 0.0
    """How often a node is drained: cordoned, and its pods evicted."""
    drain_seconds: float = 60.0
    """From the drain until the node is taken away."""
    maintenance_seconds: float = 1800.0
    """From there until the node joins again, on average (exponential)."""
    late_share: float = 0.0
    """Share of nodes that are not there at the beginning and join at some time of the run; 0 to below 1."""

    def __post_init__(self) -> None:
        if not self.step_seconds > 0:
            raise SimulationError(f"step_seconds is {self.step_seconds}; choose one above 0.")
        for name in ("sample_seconds", "scrape_seconds", "window_seconds"):
            value = getattr(self, name)
            if not value > 0 or value % self.step_seconds:
                raise SimulationError(f"{name} is {value}; choose a multiple of step_seconds ({self.step_seconds}).")
        if not self.pod_scrape_seconds > 0 or self.pod_scrape_seconds % self.scrape_seconds:
            raise SimulationError(
                f"pod_scrape_seconds is {self.pod_scrape_seconds}; choose a multiple of scrape_seconds "
                f"({self.scrape_seconds})."
            )
        for name in ("missing_share", "late_share"):
            if not 0 <= getattr(self, name) < 1:
                raise SimulationError(f"{name} is {getattr(self, name)}; choose one from 0 to below 1.")
        if not 0 <= self.new_owners_share <= 1:
            raise SimulationError(f"new_owners_share is {self.new_owners_share}; choose one from 0 to 1.")
        if not self.best_effort_least_percent > 0 or self.best_effort_least_percent > 100:
            raise SimulationError(
                f"best_effort_least_percent is {self.best_effort_least_percent}; choose one above 0, at most 100."
            )
        if self.missing_spell_seconds < self.scrape_seconds:
            raise SimulationError(
                f"missing_spell_seconds is {self.missing_spell_seconds}; choose at least scrape_seconds "
                f"({self.scrape_seconds})."
            )
        if not 0 <= self.stretch <= 1:
            raise SimulationError(f"stretch is {self.stretch}; choose one from 0 to 1.")
        for one in fields(self):
            if getattr(self, one.name) < 0:
                raise SimulationError(f"{one.name} is {getattr(self, one.name)}; it must not be negative.")


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """So many nodes of one shape."""

    shape: NodeShape
    """Its `gpus` are offered in thousandths (`gpu_sharing.demands.GPU_MILLI`), as the policies that know GPUs count."""
    count: int


@dataclass(frozen=True, slots=True)
class Demand:
    """How the pods of a scenario are drawn."""

    load: float
    """What pods want to have reserved, as a share of what nodes without taints offer; of the resource that most is
    wanted of.
    """
    owners: int
    """About how many owners there are."""
    request_factor: float = 1.0
    """The traces' pods are of a cluster of large machines; their requests are multiplied by this."""
    arrivals_a_second: float | None = None
    """Fixed number of arrivals: lifetimes are scaled until the load fits. None: lifetimes are the traces', and as many
    pods come as the load takes.
    """
    cpu_use_percent: float = 65.0
    """Mean CPU use of all pods, percent of their requests: the traces' series are multiplied until it is that."""
    memory_use_percent: float = 70.0
    """The same for memory."""
    use_skew: float = 0.5
    """How much of the traces' differences in mean CPU use between series is kept: 1 all (a series' mean to the power of
    this is its level), 0 none. The traces' are virtual machines, rented by size; requests of pods are nearer to their
    use.
    """
    least_use_percent: float = 0.5
    """Series whose mean CPU use in the trace is below this are left out: nobody used those machines."""
    most_cpu_percent: float = 200.0
    """No pod wants more than this of its request: its limit. Above `cpu_use_percent`."""
    memory_floor_percent: float = 40.0
    """What a pod holds of its memory request while it does nothing: the traces count active memory only. The series'
    values are laid between this and 100.
    """
    most_memory_percent: float = 150.0
    """No pod uses more than this of its request. Above `memory_use_percent`."""
    largest_owner_percent: float = 4.0
    """No owner's pods ask for more than this share of the CPU time that all ask for; where the pods that are taken for
    one owner's would, they are dealt out to several. Above 0; with 100 none are.
    """
    series_an_owner: int = 3
    """How many different series the pods of one owner follow."""
    jitter_seconds: float = 1800.0
    """How far pods of one owner that follow the same series are apart in it, at most."""
    longest_life_seconds: float = 172_800.0
    """Lives are cut here, so that the pods that are there at the beginning are those of a cluster long in use."""
    patience_seconds: float = 3600.0
    """How long pods wait for a node until they are given up, on average (exponential); infinite: for ever."""
    with_gpus: bool = False
    """Whether pods ask for the GPUs that the traces' pods ask for."""

    def __post_init__(self) -> None:
        if not 0 < self.largest_owner_percent <= 100:
            raise SimulationError(
                f"largest_owner_percent is {self.largest_owner_percent}; choose one above 0, at most 100."
            )


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of cluster under one kind of load."""

    name: str
    nodes: tuple[NodeGroup, ...]
    length_seconds: float
    warm_up_seconds: float
    """Measures count from here."""
    demand: Demand
    part: Part = Part.VALIDATION
    assumptions: Assumptions = field(default_factory=Assumptions)

    @property
    def node_count(self) -> int:
        """How many nodes there are, those that join late included."""
        return sum(group.count for group in self.nodes)
