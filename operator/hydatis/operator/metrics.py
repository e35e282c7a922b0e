"""Prometheus metrics: kube-scheduler's names where the meaning is the same, `hydatis_` names otherwise.

`running` makes one `Metrics`; the `driver` and the `connection` observe into it, and what others count themselves
(queues, streams, Events) is collected when /metrics is read, so that a pod costs a few microseconds. Names, labels and
buckets of the `scheduler_` ones: Kubernetes' pkg/scheduler/metrics/metrics.go. docs/metrics.md lists them all; a test
holds it to this file.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hydatis.operator.binding import BOUND, OUTCOMES
from hydatis.scheduler.decision import Decision
from hydatis.scheduler.instructions import ReportUnschedulable

_IMPORTED_AT = time.perf_counter()

Collect = Callable[[], Iterable[Metric]]


def _exponential(start: float, factor: float, count: int) -> tuple[float, ...]:
    return tuple(start * factor**n for n in range(count))


class Metrics:
    """All metrics of one operator, in their own registry."""

    def __init__(self, scheduler_names: Iterable[str]) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self.registry)
        self._make_scheduler_metrics()
        self._make_operator_metrics()
        self._attempts = {
            (result, name): (self.schedule_attempts.labels(result, name), self.attempt_duration.labels(result, name))
            for result in ("scheduled", "unschedulable", "error")
            for name in scheduler_names
        }
        self._sli = lru_cache(maxsize=32)(self.sli_duration.labels)
        self._request = lru_cache(maxsize=512)(self._request_children)
        self._bind_outcomes = {outcome: self.bind_outcomes.labels(outcome) for outcome in OUTCOMES}

    def _make_scheduler_metrics(self) -> None:
        milliseconds = _exponential(0.001, 2, 15)
        self.schedule_attempts = Counter(
            "scheduler_schedule_attempts_total",
            "Attempts to schedule pods, by result; 'error' means that a bind did not happen.",
            ("result", "profile"),
            registry=self.registry,
        )
        self.attempt_duration = Histogram(
            "scheduler_scheduling_attempt_duration_seconds",
            "From the start of a scheduling cycle to its end, binding included.",
            ("result", "profile"),
            buckets=milliseconds,
            registry=self.registry,
        )
        self.algorithm_duration = Histogram(
            "scheduler_scheduling_algorithm_duration_seconds",
            "The scheduling cycle alone: filtering, scoring and reserving.",
            buckets=milliseconds,
            registry=self.registry,
        )
        self.sli_duration = Histogram(
            "scheduler_pod_scheduling_sli_duration_seconds",
            "From the time a pod was first ready to schedule until it is bound, over all attempts.",
            ("attempts",),
            buckets=_exponential(0.01, 2, 20),
            registry=self.registry,
        )
        self.preemption_attempts = Counter(
            "scheduler_preemption_attempts_total",
            "Scheduling cycles that looked for pods of lower priority to displace.",
            registry=self.registry,
        )
        self.preemption_victims = Histogram(
            "scheduler_preemption_victims",
            "Pods that make way for one pod.",
            buckets=_exponential(1, 2, 7),
            registry=self.registry,
        )
        self.attempts = Histogram(
            "scheduler_pod_scheduling_attempts",
            "Attempts it took to schedule a pod.",
            buckets=_exponential(1, 2, 5),
            registry=self.registry,
        )

    def _make_operator_metrics(self) -> None:
        Gauge(
            "hydatis_build_info", "Always 1; says what is running.", ("version", "python"), registry=self.registry
        ).labels(version("hydatis"), platform.python_version()).set(1)
        self.requests = Counter(
            "hydatis_api_requests_total",
            "Requests to the API server; code 0 means no answer.",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self.request_duration = Histogram(
            "hydatis_api_request_duration_seconds",
            "Requests to the API server until the answer is read; a watch until it is open.",
            ("verb", "resource"),
            buckets=_exponential(0.001, 2, 15),
            registry=self.registry,
        )
        self.bind_outcomes = Counter(
            "hydatis_bind_outcomes_total", "Binds by how they ended.", ("outcome",), registry=self.registry
        )
        self.shadow_decisions = Counter(
            "hydatis_shadow_decisions_total",
            "Pods bound while an ensemble only watched, by the node that it would have chosen.",
            ("node",),
            registry=self.registry,
        )
        self.core_faults = Counter(
            "hydatis_core_faults_total",
            "Defects of the decision core that were survived; must stay 0. The log has the traceback.",
            ("doing",),
            registry=self.registry,
        )
        self.loop_lag = Histogram(
            "hydatis_event_loop_lag_seconds",
            "How late the event loop runs what is due.",
            buckets=_exponential(0.001, 2, 12),
            registry=self.registry,
        )
        self.ready_duration = Gauge(
            "hydatis_ready_duration_seconds",
            "From the start of the process until scheduling began.",
            registry=self.registry,
        )

    def request(self, verb: str, resource: str, status: int, seconds: float) -> None:
        """A request to the API server ended; status 0 means no answer."""
        count, duration = self._request(verb, resource, status)
        count.inc()
        duration.observe(seconds)

    def _request_children(self, verb: str, resource: str, status: int) -> tuple[Counter, Histogram]:
        return self.requests.labels(verb, resource, str(status)), self.request_duration.labels(verb, resource)

    def cycle(self, seconds: float) -> None:
        """A scheduling cycle took this long."""
        self.algorithm_duration.observe(seconds)

    def bind_ended(self, outcome: str, decision: Decision, now: float) -> None:
        """A bind ended; `now` is on the decision's clock."""
        self._bind_outcomes[outcome].inc()
        if outcome not in BOUND:
            self._attempt("error", decision.scheduler_name, now - decision.decided_at)
            return
        self._attempt("scheduled", decision.scheduler_name, now - decision.decided_at)
        if decision.shadow is not None:
            self.shadow_decisions.labels("same" if decision.shadow_agrees else "other").inc()
        attempts = decision.attempts
        self._sli(str(attempts) if attempts <= 15 else "15+").observe(now - decision.first_queued_at)
        self.attempts.observe(attempts)

    def unschedulable(self, profile: str, seconds: float) -> None:
        """A scheduling cycle found no node for a pod with this scheduler name."""
        self._attempt("unschedulable", profile, seconds)

    def preemption_attempted(self, report: ReportUnschedulable) -> None:
        """A scheduling cycle found no node, and looked for victims where there are nodes at all."""
        if report.decision.nodes:
            self.preemption_attempts.inc()
        if report.preemption is not None:
            self.preemption_victims.observe(report.preemption.victim_count)

    def _attempt(self, result: str, profile: str, seconds: float) -> None:
        """`profile` is the pod's scheduler name, as kube-scheduler labels its profiles."""
        count, duration = self._attempts[result, profile]
        count.inc()
        duration.observe(seconds)

    def collect_from(self, collect: Collect) -> None:
        """Ask `collect` for more metrics whenever /metrics is read."""
        self.registry.register(_OnRead(collect))


def process_age_seconds() -> float:
    """Seconds since this process was started, imports included; since this module's import where /proc is missing."""
    try:
        # proc(5): after the name in parentheses, the 20th field is the start in clock ticks since boot.
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return time.perf_counter() - _IMPORTED_AT


class _OnRead(Collector):
    def __init__(self, collect: Collect) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        return self._collect()
