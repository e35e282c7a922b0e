"""The scheduler as a state machine: events in through `handle`, instructions out through `schedule_next`.

Who calls: one driver, from one thread. Invariants, whatever the events and their order:

- a pod counts on at most one node, and once;
- a pod that has no node and names this scheduler is in exactly one state of the queue until it is bound or gone;
- a pod that could be placed never stays unschedulable once an event that made it so has been handled.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.cluster_events import EVERYWHERE, ClusterEvent
from hydatis.scheduler.cycle import Candidates, SchedulingCycle
from hydatis.scheduler.decision import NodeScore, PodReference
from hydatis.scheduler.disruption_budgets import DisruptionBudgets
from hydatis.scheduler.evaluating import Evaluations
from hydatis.scheduler.filter_args import NO_FILTER_ARGS, FilterArgs
from hydatis.scheduler.inspecting import Inspection, Inspector
from hydatis.scheduler.instructions import Bind, Instruction, ReportUnschedulable
from hydatis.scheduler.measured_load import LoadSettings
from hydatis.scheduler.models.loaded import LoadedModels
from hydatis.scheduler.nominations import Nominations
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.owner import controller_reference
from hydatis.scheduler.pending_pod import PendingPod, PodState
from hydatis.scheduler.pod_class import PodClass, PodClasses, Rank
from hydatis.scheduler.policy import Policy, PolicyMode, select_policy
from hydatis.scheduler.preempting import Preemptor
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.quantities import QuantityInvalid
from hydatis.scheduler.queueing import QueueEvent, QueueSettings, SchedulingQueue
from hydatis.scheduler.requirements import Requirements
from hydatis.scheduler.reserving import Reservations, Standing
from hydatis.scheduler.volume_finding import reached
from hydatis.scheduler.waking import Waking

_TERMINAL_PHASES = frozenset({"Succeeded", "Failed"})
_WAITING = (PodState.ACTIVE, PodState.BACKOFF, PodState.UNSCHEDULABLE, PodState.GATED)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a scheduler behaves, apart from its policies."""

    scheduler_names: frozenset[str] = frozenset({"hydatis"})
    """Pods whose `spec.schedulerName` is one of these are ours."""
    queue: QueueSettings = field(default_factory=QueueSettings)
    """Backoff and flush."""
    evaluation_memory_bytes: int = 64 * 2**20
    """Most memory for the remembered verdicts and scores of equivalence classes."""
    keep_evidence: bool = False
    """Whether decisions keep what they saw of the best nodes (`Decision.evidence`), to be explained later."""
    load: LoadSettings = field(default_factory=LoadSettings)
    """How measurements of nodes and pods are taken."""


@dataclass(slots=True)
class Statistics:
    """Plain counters since the start."""

    attempts: Counter[str] = field(default_factory=Counter)
    """Scheduling cycles by result: `scheduled` or `unschedulable`."""
    victims: int = 0
    """Pods that made way for pods of higher priority."""
    bind_failures: int = 0
    """Bindings that the driver reported as not done."""
    scheduled_after_flush: int = 0
    """Pods placed only because the flush brought them back: a wake-up was lost. Stays 0."""
    malformed_pods: int = 0
    """Pods with a quantity that cannot be read, which the API server does not admit."""


class Scheduler:
    """The decision core."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        random: np.random.Generator,
        profile: Profile | None = None,
    ) -> None:
        """`random` breaks ties between equal nodes; the same seed and events give the same placements."""
        settings = settings or Settings()
        profile = profile or Profile()
        self._settings = settings
        self._cluster = Cluster(settings.load)
        self._reservations = Reservations(self._cluster)
        self._classes = PodClasses(self._cluster.columns)
        self._queue = SchedulingQueue(settings.queue)
        self._nominations = Nominations(self._cluster)
        self._budgets = DisruptionBudgets()
        self._models = LoadedModels()
        self._evaluations = Evaluations(
            self._cluster, self._nominations, profile, settings.evaluation_memory_bytes, self._models
        )
        preemptor = Preemptor(self._cluster, self._reservations, self._nominations, self._budgets, profile, random)
        self._cycle = SchedulingCycle(
            self._cluster,
            self._reservations,
            self._nominations,
            preemptor,
            self._evaluations,
            profile,
            random,
            settings.keep_evidence,
        )
        self._open: tuple[Candidates, frozenset[str]] | None = None
        """The decision that is left to the caller, and the nodes that it may choose."""
        self._pods: dict[str, PendingPod] = {}
        self._policies: dict[str, Policy] = {}
        self._some_paused = False
        """Whether any policy is paused."""
        self._filter_args: set[FilterArgs] = set()
        """What the policies give to plugins that filter; empty as a rule."""
        self._waking = Waking(self._cluster, self._queue, self._evaluations, preemptor, profile)
        self._permits = frozenset(permit.name for permit in profile.permits)
        self._load_helps = profile.hints.heeds(ClusterEvent.NODE_LOAD)
        """Whether what is measured of nodes can make a pod feasible."""
        self._handlers = {
            events.PodSeen: self._pod_seen,
            events.PodGone: self._pod_gone,
            events.NodeSeen: self._node_seen,
            events.NodeGone: self._node_gone,
            events.NamespaceSeen: self._namespace_seen,
            events.NamespaceGone: self._namespace_gone,
            events.WorkloadSeen: self._workload_seen,
            events.WorkloadGone: self._workload_gone,
            events.StorageSeen: self._storage_seen,
            events.StorageGone: self._storage_gone,
            events.PolicyInForce: self._policy_in_force,
            events.PolicyGone: self._policy_gone,
            events.ModelLoaded: self._model_loaded,
            events.ModelGone: self._model_gone,
            events.BindSucceeded: self._bind_succeeded,
            events.BindFailed: self._bind_failed,
            events.DisruptionBudgetSeen: self._budget_seen,
            events.DisruptionBudgetGone: self._budget_gone,
            events.PreemptionFailed: self._preemption_failed,
            events.NodesMeasured: self._nodes_measured,
            events.PodsMeasured: self._pods_measured,
            events.OwnersRemembered: self._owners_remembered,
        }
        self.statistics = Statistics()

    # The driver's side

    def handle(self, event: events.Event, now: float) -> None:
        """Take note of what happened."""
        if self._open is not None:
            raise RuntimeError("a decision is open; decide before anything else happens")
        self._advance(now)
        handler: Any = self._handlers[type(event)]
        handler(event, now)

    def schedule_next(self, now: float) -> Instruction | None:
        """Run one scheduling cycle for the next pod; None when no pod is ready."""
        pod = self._next_pod(now)
        return None if pod is None else self._settled(pod, self._cycle.run(pod, self._policies.values(), now), now)

    def open_decision(self, now: float) -> OpenDecision | Instruction | None:
        """Do as `schedule_next` up to the choice of a node, and leave that to the caller, who must `decide` before
        anything else happens. Where there is nothing to choose it is the instruction.
        """
        pod = self._next_pod(now)
        if pod is None:
            return None
        found = self._cycle.candidates(pod, self._policies.values(), now)
        if isinstance(found, Candidates):
            rows = self._cycle.open_rows(found)
            if len(rows):
                self._open = (found, frozenset(self._cluster.node_name(row) for row in rows.tolist()))
                return OpenDecision(pod.reference, pod.pod_class, self._open[1])
            return self._settled(pod, self._cycle.choose(found), now)
        return self._settled(pod, found, now)

    def decide(self, node: str, now: float) -> Instruction:
        """Place the pod of the open decision on one of its nodes.

        Raises:
            ValueError: no decision is open, or the node is not among its nodes.

        """
        if self._open is None:
            raise ValueError("no decision is open")
        found, nodes = self._open
        if node not in nodes:
            raise ValueError(f"{node} is not feasible for {found.pod.reference.uid}")
        self._open = None
        decision = replace(found.decision, feasible=len(nodes), chosen=NodeScore(node, 0, ()))
        return self._settled(found.pod, self._cycle.place(found.pod, NodeScore(node, 0, ()), decision), now)

    def _next_pod(self, now: float) -> PendingPod | None:
        if self._open is not None:
            raise RuntimeError("a decision is open; decide before the next pod's turn")
        self._advance(now)
        self._waking.look(now)
        pod = self._queue.pop(now)
        while pod is None and self._waking.pending:
            self._waking.look(now)
            pod = self._queue.pop(now)
        return pod

    def _settled(self, pod: PendingPod, instruction: Instruction, now: float) -> Instruction:
        """Note what became of the pod."""
        pod.paused = isinstance(instruction, ReportUnschedulable) and instruction.paused
        if isinstance(instruction, Bind):
            self.statistics.attempts["scheduled"] += 1
            self.statistics.scheduled_after_flush += pod.flushed
        else:
            self.statistics.attempts["unschedulable"] += 1
            rejected_by = instruction.decision.rejected_by
            as_its_class = not (
                # These bear on one pod, not on another.
                len(self._nominations) or instruction.nominated_node or rejected_by & self._permits
            )
            self._queue.park(pod, now, rejected_by, self._filter_args_of(pod), as_its_class=as_its_class)
            self._keep_room(pod, instruction, now)
        pod.flushed = False
        return instruction

    def _advance(self, now: float) -> None:
        if self._cluster.load.advance(now) and self._load_helps:
            self._cluster.events.append(EVERYWHERE, ClusterEvent.NODE_LOAD)

    def _keep_room(self, pod: PendingPod, report: ReportUnschedulable, now: float) -> None:
        """Keep room for the pod on the node that was chosen for it, and for those it outranks no longer."""
        uid = pod.reference.uid
        if report.preemption is not None:
            self.statistics.victims += report.preemption.victim_count
            for outranked in report.preemption.outranked:
                self._nominations.withdraw(outranked.uid)
                other = self._pods[outranked.uid]
                if other.state is PodState.UNSCHEDULABLE:
                    self._queue.back_off(other, now, QueueEvent.POD_UPDATE)
        if report.nominated_node:
            self._nominations.nominate(pod.reference, pod.pod_class, report.nominated_node)
        elif report.nominated_node is not None:
            self._nominations.withdraw(uid)

    def why_withdraw(self, uid: str) -> str | None:
        """Say why the binding of an assumed pod should not leave any more; None: it may.

        The driver asks right before it sends the binding, since other schedulers bind to the same nodes meanwhile. One
        that it withdraws it reports as `BindFailed`.
        """
        return self._reservations.why_withdraw(uid)

    def next_wake(self) -> float | None:
        """Return when a backoff or the flush next brings a pod back; None when neither will."""
        return self._queue.next_wake()

    def is_pending(self, uid: str) -> bool:
        """Tell whether a pod is to be scheduled here and is not known to be bound or on its way out."""
        return uid in self._pods

    def pending(self) -> Mapping[str, int]:
        """Return how many pods are in each queue."""
        return {state.value: self._queue.count(state) for state in _WAITING}

    def incoming(self) -> Mapping[tuple[str, str], int]:
        """Return how many pods have entered each queue, by queue and reason."""
        return {(state.value, event.value): count for (state, event), count in self._queue.incoming.items()}

    @property
    def classes_looked_at(self) -> int:
        """How often a class of unschedulable pods was filtered again because something happened that might help it."""
        return self._waking.classes_looked_at

    @property
    def cluster(self) -> Cluster:
        """The state of the cluster, for one who reads it between events and never writes."""
        return self._cluster

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self._cluster.node_count

    def has_node(self, name: str) -> bool:
        """Whether the node exists."""
        return self._cluster.row_of(name) is not None

    def node_reaches(self, name: str, volume: str) -> bool:
        """Whether a node exists that can reach the volume of this name, which exists, too."""
        row, known = self._cluster.row_of(name), self._cluster.storage.volumes.get(volume)
        return row is not None and known is not None and bool(reached(known, self._cluster, np.array([row]))[0])

    @property
    def policies(self) -> Mapping[str, Policy]:
        """The policies in force, by name."""
        return self._policies

    @property
    def models(self) -> LoadedModels:
        """The models that are loaded, by the name of their MLModel; its `version` grows with each change."""
        return self._models

    def inspect(self, manifest: Mapping[str, Any]) -> Inspection:
        """Say what every plugin makes of a pod, as if it were to be placed now. Raises `QuantityInvalid`."""
        pod = self._classes.of(manifest)
        if (manifest.get("spec") or {}).get("nodeName"):
            # The index tells no node from another: bound pods and those that wait share their class.
            volumes = pod.requirements.volumes
            asked = Requirements(manifest["spec"], manifest.get("status") or {}, self._cluster.columns, volumes)
            reference = controller_reference(manifest["metadata"])
            pod = PodClass(asked, pod.identity, pod.controller, Rank(pod.priority, pod.preempts), reference)
        self._cluster.ensure_columns()
        policy = select_policy(
            self._policies.values(),
            namespace=pod.identity.namespace,
            namespace_labels=self._cluster.placed.namespaces.get(pod.identity.namespace, {}),
            pod_labels=pod.identity.labels,
            pod_annotations=manifest["metadata"].get("annotations") or {},
            scheduler_name=(manifest.get("spec") or {}).get("schedulerName") or "",
        )
        inspector = Inspector(
            self._cycle.profile, self._cluster, self._nominations, self._cycle.preemptor, self._models
        )
        return inspector.inspect(manifest["metadata"]["uid"], pod, policy)

    # For checks

    def recounted(self) -> Iterator[tuple[str, dict[str, int], dict[str, int]]]:
        """Yield each node's name, its requested amounts as kept, and the same added up anew from its pods."""
        for name, totals in self._cluster.recounted():
            row = self._cluster.row_of(name)
            if row is not None:
                kept = {
                    self._cluster.columns.name(column): int(amount)
                    for column, amount in enumerate(self._cluster.requested[:, row].tolist())
                    if amount
                }
                yield name, kept, totals

    # Pods

    def _pod_seen(self, event: events.PodSeen, now: float) -> None:
        manifest = event.manifest
        metadata = manifest["metadata"]
        spec = manifest.get("spec") or {}
        uid = metadata["uid"]
        if (manifest.get("status") or {}).get("phase") in _TERMINAL_PHASES:
            self._pod_gone(events.PodGone(uid), now)
            return
        node = spec.get("nodeName")
        ours = spec.get("schedulerName") in self._settings.scheduler_names
        if not node and (not ours or metadata.get("deletionTimestamp")):
            # Not ours to place, or on its way out: kube-scheduler skips a pod that is being deleted, too.
            self._stop_scheduling(uid)
            return
        try:
            pod = self._classes.of(manifest)
        except QuantityInvalid:
            self.statistics.malformed_pods += 1
            return
        # The pod may be the first to name a resource.
        self._cluster.ensure_columns()
        if node:
            self._stop_scheduling(uid)
            self._reservations.confirm(uid, node, pod, Standing.of(manifest))
        elif uid in self._pods:
            self._update_pending(self._pods[uid], pod, metadata, spec, now)
            self._nominated_node_seen(self._pods[uid], manifest)
        elif self._reservations.node_of(uid) is None:
            self._add_pending(uid, pod, metadata, spec, now)
            self._nominated_node_seen(self._pods[uid], manifest)

    def _add_pending(
        self, uid: str, pod_class: PodClass, metadata: Mapping[str, Any], spec: Mapping[str, Any], now: float
    ) -> None:
        pod = PendingPod(
            reference=_reference(metadata),
            scheduler_name=spec["schedulerName"],
            pod_class=pod_class,
            priority=spec.get("priority") or 0,
            annotations=metadata.get("annotations") or {},
            gated=bool(spec.get("schedulingGates")),
            queued_at=now,
        )
        self._pods[uid] = pod
        if pod.gated:
            self._queue.gate(pod, QueueEvent.POD_ADD)
        else:
            self._queue.activate(pod, now, QueueEvent.POD_ADD)

    def _update_pending(
        self,
        pod: PendingPod,
        pod_class: PodClass,
        metadata: Mapping[str, Any],
        spec: Mapping[str, Any],
        now: float,
    ) -> None:
        pod.pod_class = pod_class
        pod.annotations = metadata.get("annotations") or {}
        pod.gated = bool(spec.get("schedulingGates"))
        if pod.gated:
            if pod.state in (PodState.ACTIVE, PodState.BACKOFF, PodState.UNSCHEDULABLE):
                self._queue.gate(pod, QueueEvent.POD_UPDATE)
        elif pod.state is PodState.GATED:
            self._queue.back_off(pod, now, QueueEvent.POD_UPDATE)
        elif pod.state is PodState.UNSCHEDULABLE and not self._resume(pod, now):
            self._waking.pod_changed(pod, self._filter_args_of(pod), now)

    def _nominated_node_seen(self, pod: PendingPod, manifest: Mapping[str, Any]) -> None:
        """Follow `status.nominatedNodeName` where it changes; where it does not, what the core decided may be newer
        (kubernetes backend/queue/nominator.go, UpdateNominatedPod).
        """
        node = (manifest.get("status") or {}).get("nominatedNodeName") or ""
        before, pod.nominated_node_seen = pod.nominated_node_seen, node
        uid = pod.reference.uid
        kept = node if node != before else self._nominations.node_of(uid)
        if kept and pod.state is not PodState.BINDING:
            self._nominations.nominate(pod.reference, pod.pod_class, kept)
        else:
            self._nominations.withdraw(uid)

    def _pod_gone(self, event: events.PodGone, now: float) -> None:
        self._stop_scheduling(event.uid)
        self._reservations.forget(event.uid)

    def _stop_scheduling(self, uid: str) -> None:
        pod = self._pods.pop(uid, None)
        if pod is not None:
            self._queue.remove(pod)
            self._nominations.withdraw(uid, placed_on=self._reservations.node_of(uid))

    def _bind_succeeded(self, event: events.BindSucceeded, now: float) -> None:
        # The pod stays assumed until the watch shows it on its node; deciding about it is over.
        if self._reservations.node_of(event.uid) is not None:
            self._reservations.settle(event.uid)
            self._stop_scheduling(event.uid)

    def _bind_failed(self, event: events.BindFailed, now: float) -> None:
        self.statistics.bind_failures += 1
        if self._reservations.is_assumed(event.uid):
            self._reservations.forget(event.uid)
        pod = self._pods.get(event.uid)
        if pod is not None and pod.state is PodState.BINDING:
            self._queue.back_off_after_error(pod, now)

    # Preemption

    def _budget_seen(self, event: events.DisruptionBudgetSeen, now: float) -> None:
        self._budgets.set(event.manifest)

    def _budget_gone(self, event: events.DisruptionBudgetGone, now: float) -> None:
        self._budgets.remove(event.namespace, event.name)

    def _preemption_failed(self, event: events.PreemptionFailed, now: float) -> None:
        # Others may have counted on the same victims: they wait for the same node.
        waiting = {event.uid: None}
        for victim in event.victims:
            self._reservations.condemn(victim, False)
            waiting |= dict.fromkeys(self._nominations.of_node(self._reservations.node_of(victim)))
        for uid in waiting:
            pod = self._pods.get(uid)
            if pod is not None and pod.state is PodState.UNSCHEDULABLE:
                self._queue.back_off(pod, now, QueueEvent.PREEMPTION_FAILURE)

    # Load

    def _nodes_measured(self, event: events.NodesMeasured, now: float) -> None:
        found = [self._cluster.row_of(name) for name in event.nodes]
        rows = np.array([row for row in found if row is not None], dtype=np.intp)
        here = np.array([row is not None for row in found], dtype=np.bool_)
        news = self._cluster.load.measure_nodes(
            rows, event.sampled_at[here], event.cpu_millicores[here], event.memory_bytes[here]
        )
        if news and self._load_helps:
            self._cluster.events.append(EVERYWHERE, ClusterEvent.NODE_LOAD)

    def _pods_measured(self, event: events.PodsMeasured, now: float) -> None:
        self._cluster.load.measure_pods(event.uids, event.sampled_at, event.cpu_millicores, event.memory_bytes)

    def _owners_remembered(self, event: events.OwnersRemembered, now: float) -> None:
        self._cluster.load.owners.restore(event.remembered, now)

    # Nodes, namespaces, policies

    def _node_seen(self, event: events.NodeSeen, now: float) -> None:
        self._cluster.set_node(event.manifest)

    def _node_gone(self, event: events.NodeGone, now: float) -> None:
        self._cluster.remove_node(event.name)

    def _namespace_seen(self, event: events.NamespaceSeen, now: float) -> None:
        metadata = event.manifest["metadata"]
        self._set_namespace(metadata["name"], metadata.get("labels") or {}, now)

    def _namespace_gone(self, event: events.NamespaceGone, now: float) -> None:
        self._set_namespace(event.name, None, now)

    def _set_namespace(self, name: str, labels: dict[str, str] | None, now: float) -> None:
        version = self._cluster.placed.version
        self._cluster.placed.set_namespace(name, labels)
        if self._cluster.placed.version != version:
            self._cluster.events.append(EVERYWHERE, ClusterEvent.NAMESPACE_LABELS)
            self._policies_changed(now)

    def _workload_seen(self, event: events.WorkloadSeen, now: float) -> None:
        version = self._cluster.workloads.version
        self._cluster.workloads.set(event.workload, event.manifest)
        self._workloads_changed_since(version)

    def _workload_gone(self, event: events.WorkloadGone, now: float) -> None:
        version = self._cluster.workloads.version
        self._cluster.workloads.remove(event.workload)
        self._workloads_changed_since(version)

    def _workloads_changed_since(self, version: int) -> None:
        if self._cluster.workloads.version != version:
            self._cluster.events.append(EVERYWHERE, ClusterEvent.WORKLOADS)

    def _storage_seen(self, event: events.StorageSeen, now: float) -> None:
        self._cluster.storage.set(event.kind, event.manifest)

    def _storage_gone(self, event: events.StorageGone, now: float) -> None:
        self._cluster.storage.remove(event.kind, event.namespace, event.name)

    def _policy_in_force(self, event: events.PolicyInForce, now: float) -> None:
        self._policies[event.policy.name] = event.policy
        self._policies_changed(now)

    def _policy_gone(self, event: events.PolicyGone, now: float) -> None:
        self._policies.pop(event.name, None)
        self._policies_changed(now)

    def _model_loaded(self, event: events.ModelLoaded, now: float) -> None:
        self._models.put(event.model)
        self._evaluations.forget(lambda policy: policy.names_model(event.model.name))

    def _model_gone(self, event: events.ModelGone, now: float) -> None:
        self._models.remove(event.name)
        self._evaluations.forget(lambda policy: policy.names_model(event.name))

    def _policies_changed(self, now: float) -> None:
        """Policies, or what they select by, changed: a pod that waits may be under another one, that is not paused or
        gives other arguments to filters.
        """
        paused = any(policy.mode is PolicyMode.PAUSED for policy in self._policies.values())
        before_paused, self._some_paused = self._some_paused, paused
        if before_paused:
            for pod in self._queue.unschedulable.pods():
                self._resume(pod, now)
        args = {policy.plugin_args.filters for policy in self._policies.values()} - {NO_FILTER_ARGS}
        before, self._filter_args = self._filter_args, args
        if args or before:
            for pod in self._queue.unschedulable.pods():
                if not pod.paused:
                    self._waking.pod_changed(pod, self._filter_args_of(pod), now)

    def _resume(self, pod: PendingPod, now: float) -> bool:
        """Let a pod that waited for its policy go on, if it is for that alone; whether it still waits for that or is
        ready now.
        """
        if not pod.paused:
            return False
        if self._cycle.policy_of(pod, self._policies.values()).mode is not PolicyMode.PAUSED:
            pod.paused = False
            self._queue.activate(pod, now, QueueEvent.POLICY_RESUMED)
        return True

    def _filter_args_of(self, pod: PendingPod) -> FilterArgs:
        if not self._filter_args:
            return NO_FILTER_ARGS
        return self._cycle.policy_of(pod, self._policies.values()).plugin_args.filters


def _reference(metadata: Mapping[str, Any]) -> PodReference:
    return PodReference(metadata["namespace"], metadata["name"], metadata["uid"])
