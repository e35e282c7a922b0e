"""One run's record in the report: its measurements, and what they were computed from.

Called by a run at its end; `results` reads the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hydatis.benchmarks.measuring import ProcessMeter
from hydatis.benchmarks.statistics import Measurements, Number, percentiles

SCHEDULER = "scheduler"
"""The scheduler's name in the process meter; `apiserver` and `etcd` stand beside it."""
_MILLISECONDS = 1000.0

DEFINITIONS: Mapping[str, str] = {
    "clock": "queued: starts just before the scheduler's process is started. Other modes: starts just before the first "
    "create request is sent, with the scheduler ready. All times are of one monotonic clock in one process.",
    "bound": "The moment the one pod watch received the update that carries spec.nodeName.",
    "pods_per_second": "Bound pods divided by the seconds from the clock's start to the last bind.",
    "pods_per_second_from_first_bind": "Bound pods but one, divided by the seconds from the first to the last bind.",
    "created_per_second": "Pods divided by the seconds from the first create request to the last one's answer. In a "
    "burst the load generator shares the machine; where bound pods/s come near it, the load sets the pace.",
    "latency_ms": "queued: from the clock's start to bound. Other modes: from just before the pod's create request was "
    "sent to bound.",
    "cpu_ms_per_pod": "User and system time, children included, from the clock's start to the last stored Event, "
    "divided by bound pods; queued counts the scheduler's own start-up. load_generator is this program: creations "
    "(not in queued), watch and sampling.",
    "rss_mib": "Largest resident set of the scheduler's processes in samples taken every 0.2 s.",
    "rss_mib_at_end": "Their resident set in the last sample.",
    "ready_seconds": "From just before the scheduler's process is started until it answers that it is ready.",
    "seconds_until_last_event": "From the clock's start until a poll (10 a second) last saw a new Event stored.",
    "events_per_pod": "Events stored at the end divided by bound pods.",
    "other_cores": "Average number of cores that programs outside the benchmark kept busy, from the clock's start to "
    "the last stored Event; near 0 on an idle machine. Runs with more than a little are not to be trusted.",
    "ratio": "HYDATIS divided by kube-scheduler, of the medians.",
    "median": "hydatis and kube_scheduler hold the median over the valid runs; range holds their smallest and largest.",
}


@dataclass(slots=True)
class Observed:
    """Raw times (seconds of `time.perf_counter`) and counts of one run."""

    started_at: float = 0.0
    """The clock's start."""
    ready_seconds: float | None = None
    sent_at: dict[str, float] = field(default_factory=dict)
    """Pod uid to the moment just before its create request was sent."""
    created_at: float | None = None
    """When the last create request was answered."""
    lateness_seconds: list[float] = field(default_factory=list)
    bound_at: dict[str, float] = field(default_factory=dict)
    """Pod uid to the moment its bind was seen."""
    events_stored: int = 0
    last_event_at: float | None = None
    displaced_initial: int = 0
    """Pods that ran before the measurement and made way for others."""
    displaced_measured: int = 0
    """Measured pods that ran and then made way for others."""
    watch_resumed: int = 0
    watch_relisted: int = 0
    problems: list[str] = field(default_factory=list)
    """What keeps the run from being valid: pods left pending, a node overcommitted, a scheduler that died."""

    @property
    def last_bind_at(self) -> float | None:
        """When the last pod was bound; None when none was."""
        return max(self.bound_at.values(), default=None)

    def latencies_ms(self, *, created_first: bool) -> list[float]:
        """Give each bound pod's latency, sorted: see `DEFINITIONS`."""
        return sorted(
            (bound_at - (self.started_at if created_first else self.sent_at[uid])) * _MILLISECONDS
            for uid, bound_at in self.bound_at.items()
        )


def measurements(observed: Observed, meter: ProcessMeter, *, created_first: bool) -> Measurements:
    """Compute the numbers that results are made of."""
    bound = len(observed.bound_at)
    start, last_bind = observed.started_at, observed.last_bind_at
    first_bind = min(observed.bound_at.values(), default=None)
    last_event = observed.last_event_at
    end = max(moment for moment in (start, last_bind, last_event) if moment is not None)

    def per_pod(seconds: float) -> Number:
        return seconds * _MILLISECONDS / bound if bound else None

    return {
        "pods_per_second": _rate(bound, start, last_bind),
        "pods_per_second_from_first_bind": _rate(bound - 1, first_bind, last_bind),
        "created_per_second": _rate(
            len(observed.sent_at), min(observed.sent_at.values(), default=None), observed.created_at
        ),
        "latency_ms": percentiles(observed.latencies_ms(created_first=created_first)),
        "cpu_ms_per_pod": {
            **{name: per_pod(meter.cpu_seconds(name, start, end)) for name in (SCHEDULER, "apiserver", "etcd")},
            "load_generator": per_pod(meter.own_cpu_seconds(start, end)),
        },
        "rss_mib": meter.peak_rss_mib(SCHEDULER),
        "rss_mib_at_end": meter.last_rss_mib(SCHEDULER),
        "ready_seconds": observed.ready_seconds,
        "seconds_until_last_bind": None if last_bind is None else last_bind - start,
        "seconds_until_last_event": None if last_event is None else last_event - start,
        "other_cores": meter.other_cpu_seconds(start, end) / (end - start) if end > start else None,
        "events_per_pod": observed.events_stored / bound if bound else None,
    }


def raw(observed: Observed, *, created_first: bool) -> dict[str, Any]:
    """Write down the rest of a run: counts, problems, and every latency."""
    return {
        "pods": len(observed.sent_at),
        "bound": len(observed.bound_at),
        "valid": not observed.problems,
        "problems": observed.problems,
        "events_stored": observed.events_stored,
        "displaced": {"initial": observed.displaced_initial, "measured": observed.displaced_measured},
        "watch": {"resumed": observed.watch_resumed, "relisted": observed.watch_relisted},
        "create_lateness_ms": percentiles([seconds * _MILLISECONDS for seconds in observed.lateness_seconds]),
        "latency_samples_ms": [round(latency, 2) for latency in observed.latencies_ms(created_first=created_first)],
    }


def _rate(count: int, start: float | None, end: float | None) -> Number:
    if start is None or end is None or end <= start:
        return None
    return count / (end - start)
