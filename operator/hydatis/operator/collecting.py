"""What the parts of the operator count themselves, as metrics, gathered when /metrics is read.

`running` registers `Collection.collect`; nothing here costs anything while pods are scheduled.
"""

import time
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hydatis.operator.claiming import Claimer
from hydatis.operator.conditions import ConditionWriter
from hydatis.operator.decisions import DecisionLog
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.owner_memory import OwnerMemory
from hydatis.operator.recording import Recorder
from hydatis.operator.watching import Stream
from hydatis.scheduler.scheduler import Scheduler


class Collection:
    """Reads the core, the outbox, the claimer, the streams and the recorder."""

    def __init__(
        self,
        core: Scheduler,
        outbox: Outbox,
        *,
        claimer: Claimer,
        recorder: Recorder,
        conditions: ConditionWriter,
        streams: Iterable[Stream],
        decisions: DecisionLog,
        memory: OwnerMemory,
    ) -> None:
        self._memory = memory
        self._decisions = decisions
        self._core = core
        self._outbox = outbox
        self._claimer = claimer
        self._recorder = recorder
        self._conditions = conditions
        self._streams = tuple(streams)

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family."""
        yield from self._core_metrics()
        yield from self._outbox_metrics()
        yield from self._stream_metrics()

    def _core_metrics(self) -> Iterator[Metric]:
        core = self._core
        yield _gauge("scheduler_pending_pods", "Pods that wait, by queue.", "queue", core.pending())
        incoming = CounterMetricFamily(
            "scheduler_queue_incoming_pods", "Pods that entered a queue, by the event.", labels=("queue", "event")
        )
        for (queue, event), count in core.incoming().items():
            incoming.add_metric((queue, event), count)
        yield incoming
        yield CounterMetricFamily(
            "scheduler_pod_scheduled_after_flush",
            "Pods that were placed only because the flush brought them back; must stay 0.",
            value=core.statistics.scheduled_after_flush,
        )
        yield CounterMetricFamily(
            "hydatis_malformed_pods",
            "Pods with a quantity that cannot be read; they are left alone.",
            value=core.statistics.malformed_pods,
        )
        yield GaugeMetricFamily("hydatis_nodes", "Nodes in the cluster.", value=core.node_count)
        policies = GaugeMetricFamily(
            "hydatis_policy_in_force",
            "Always 1; the policies that are in force.",
            labels=("policy", "generation", "heuristic"),
        )
        for policy in core.policies.values():
            policies.add_metric((policy.name, str(policy.generation), policy.heuristic.value), 1)
        yield policies
        models = GaugeMetricFamily(
            "hydatis_model_loaded",
            "Always 1; the models that are verified and loaded.",
            labels=("model", "kind", "version", "sha256"),
        )
        for model in core.models.values():
            models.add_metric((model.name, model.kind.value, model.version, model.digest), 1)
        yield models

        log = self._decisions
        yield GaugeMetricFamily("hydatis_decisions_kept", "Decisions that can still be explained.", value=len(log))
        yield GaugeMetricFamily("hydatis_decisions_kept_bytes", "About how much memory they take.", value=log.bytes)

        owners = core.cluster.load.owners
        yield GaugeMetricFamily("hydatis_owners_known", "Owners whose pods' use is known.", value=owners.known)
        yield _counter(
            "hydatis_owner_archives",
            "What is known of owners, read at the start and kept in ConfigMaps, by what became of it.",
            "outcome",
            self._memory.outcomes,
        )

    def _outbox_metrics(self) -> Iterator[Metric]:
        outbox, recorder = self._outbox, self._recorder
        lanes = {lane.name.lower(): lane for lane in Lane}
        yield _gauge(
            "hydatis_outbox_waiting",
            "Requests that wait for a worker.",
            "lane",
            {name: outbox.waiting(lane) for name, lane in lanes.items()},
        )
        yield _gauge(
            "hydatis_outbox_in_flight",
            "Requests that a worker is busy with.",
            "lane",
            {name: outbox.running(lane) for name, lane in lanes.items()},
        )
        yield GaugeMetricFamily(
            "hydatis_pods_waiting_for_volumes",
            "Pods that have a node and are bound to it when their volumes are.",
            value=self._claimer.waiting,
        )
        yield CounterMetricFamily(
            "hydatis_outbox_faults",
            "Jobs that ended in a defect; must stay 0. The log has the traceback.",
            value=outbox.failures,
        )
        yield _counter(
            "hydatis_events",
            "Events by what became of them.",
            "outcome",
            {"recorded": recorder.recorded, "aggregated": recorder.aggregated, "dropped": recorder.dropped},
        )
        yield _counter(
            "hydatis_conditions",
            "PodScheduled conditions by what became of them.",
            "outcome",
            {"written": self._conditions.written, "failed": self._conditions.failed},
        )

    def _stream_metrics(self) -> Iterator[Metric]:
        streams = {stream.watched.resource: stream for stream in self._streams}
        now = time.monotonic()
        yield _counter(
            "hydatis_watch_restarts",
            "Watches opened after the first.",
            "resource",
            {name: stream.restarts for name, stream in streams.items()},
        )
        yield _counter(
            "hydatis_watch_relists",
            "Lists after the first, because the watch was too old to resume.",
            "resource",
            {name: stream.relists for name, stream in streams.items()},
        )
        yield _counter(
            "hydatis_watch_faults",
            "Lists and watches that failed and were tried again.",
            "resource",
            {name: stream.faults for name, stream in streams.items()},
        )
        yield _gauge(
            "hydatis_watch_silence_seconds",
            "Since the stream last said anything; bookmarks come once a minute.",
            "resource",
            {name: stream.silent_seconds(now) for name, stream in streams.items()},
        )


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, amount in values.items():
        family.add_metric((value,), amount)
    return family


def _counter(name: str, text: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, amount in values.items():
        family.add_metric((value,), amount)
    return family
