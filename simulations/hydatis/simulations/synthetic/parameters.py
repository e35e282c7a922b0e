"""What the generator knows of the recorded workloads: aggregated numbers with their units, and where they came from.

`Parameters.shipped()` reads the file that comes with the project; `hydatis synthetic fit` writes another.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Self

from hydatis.simulations.synthetic.quantiles import Quantiles

_SHIPPED = "parameters.json"


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """How many pods come when. Profiles are factors with mean 1."""

    per_day: float
    hour_profile: tuple[float, ...]
    """24 factors, by hour of the trace's day."""
    weekday_profile: tuple[float, ...]
    """7 factors, by day of the trace's week."""
    dispersion: float
    """Squared coefficient of variation of an hour's rate around the profile: 0 for a Poisson process."""
    persistence: float
    """Correlation of the logarithm of that variation from one hour to the next."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """Pods of one kind: without GPU, sharing one, with one, with several."""

    name: str
    share: float
    """Of all pods."""
    best_effort_share: float
    """Of the kind's pods."""
    gpu_counts: tuple[tuple[int, float], ...]
    """(GPUs, share of the kind's pods)."""
    gpu_milli: Quantiles
    """Thousandths of each GPU."""
    cpu_millicores: Quantiles
    memory_mib_per_core: Quantiles
    lifetime_seconds: Quantiles


@dataclass(frozen=True, slots=True)
class Owners:
    """How pods spread over those who make them."""

    popularity_exponent: float
    """An owner's share of the pods goes with its rank to the minus this (Zipf)."""
    lifetime_correlation: float
    """Correlation of the lifetimes (as normal scores) of two pods of one owner."""


@dataclass(frozen=True, slots=True)
class UsageClass:
    """How CPU use varies from owner to owner and over time, in percent of the request.

    An owner has five traits, each with a distribution and all correlated: mean, variation, daily amplitude, the share
    of the variation that is slow, and how slow it is.
    """

    mean_percent: Quantiles
    variation: Quantiles
    """Standard deviation over mean, the daily profile taken out."""
    daily_amplitude: Quantiles
    """Standard deviation of the 24 hourly means over the mean."""
    slow_share: Quantiles
    """Of the variance; the rest has no memory."""
    slow_seconds: Quantiles
    """Time in which the slow part's autocorrelation falls to 1/e."""
    trait_correlations: tuple[tuple[float, ...], ...]
    """5 x 5, of the traits as normal scores, in the order above."""
    peak_hour_shares: tuple[float, ...]
    """24 shares: owners by the hour in which they use most."""
    memory_mean_percent: Quantiles
    memory_variation: Quantiles


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """How GPUs are used: duty in percent, by pod."""

    duty_mean_percent: Quantiles
    duty_variation: Quantiles
    memory_gib: Quantiles


@dataclass(frozen=True, slots=True)
class NodeShape:
    """One kind of node."""

    share: float
    cpu_millicores: int
    memory_mib: int
    gpus: int
    gpu_model: str


@dataclass(frozen=True, slots=True)
class MachineLoad:
    """Load of real machines that run services and batch together, to hold simulated nodes against; percent."""

    cpu_mean: float
    cpu_p95: float
    cpu_p99: float
    memory_mean: float


@dataclass(frozen=True, slots=True)
class Parameters:
    """All that the generator knows."""

    provenance: Mapping[str, Any]
    """Which files, by SHA-256, and which method the numbers came from."""
    arrival_rate: ArrivalRate
    kinds: tuple[RequestKind, ...]
    owners: Owners
    usage: UsageClass
    gpu_usage: GpuUsage
    nodes: tuple[NodeShape, ...]
    machine_load: MachineLoad

    @classmethod
    def shipped(cls) -> Self:
        """Read the parameters that come with the project."""
        return cls.parse((resources.files("hydatis.simulations.synthetic") / _SHIPPED).read_text("utf-8"))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read parameters that `write` wrote. Raises `ValueError` or `OSError`."""
        return cls.parse(path.read_text("utf-8"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read parameters from JSON. Raises `ValueError`."""
        try:
            document = json.loads(text)
            return cls(
                provenance=document["provenance"],
                arrival_rate=_built(ArrivalRate, document["arrival_rate"]),
                kinds=tuple(_built(RequestKind, kind) for kind in document["kinds"]),
                owners=_built(Owners, document["owners"]),
                usage=_built(UsageClass, document["usage"]),
                gpu_usage=_built(GpuUsage, document["gpu_usage"]),
                nodes=tuple(_built(NodeShape, node) for node in document["nodes"]),
                machine_load=_built(MachineLoad, document["machine_load"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"these are no parameters of the generator ({error!r}); write them with `hydatis synthetic fit`"
            ) from error

    def text(self) -> str:
        """Return the parameters as JSON."""
        return json.dumps(asdict(self), indent=1) + "\n"


def _built(kind: type[Any], fields: Mapping[str, Any]) -> Any:
    """Make one of the classes above from decoded JSON: lists become tuples, quantiles their class."""
    return kind(**{name: _value(value) for name, value in fields.items()})


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return Quantiles(tuple(value["values"]), value["tail_index"])
    return tuple(map(_value, value)) if isinstance(value, list) else value
