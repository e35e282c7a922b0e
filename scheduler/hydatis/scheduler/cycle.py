"""One scheduling cycle, from a pod taken off the queue to the instruction for the driver.

The cycle is synchronous and complete in itself: between its first and last line no event is handled, so it works on
one state of the cluster. Rejection is a value, not an exception.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hydatis.scheduler.arrays import NO_ROWS, Rows
from hydatis.scheduler.binding import bind
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import Decision, Mode, ModelReference, NodeScore, PluginRejections
from hydatis.scheduler.evaluating import Evaluations
from hydatis.scheduler.evidence import BEST
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.filtering import NO_NODES, Filters, held_back, no_nodes_available
from hydatis.scheduler.instructions import Instruction, ReportUnschedulable
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.nominations import Beside, Nominations
from hydatis.scheduler.pending_pod import PendingPod
from hydatis.scheduler.permitting import permit
from hydatis.scheduler.policy import Policy, PolicyMode, select_policy
from hydatis.scheduler.preempting import NoCandidate, NotEligible, Preemptor, told
from hydatis.scheduler.prefiltering import Rejected, SearchSpace, prefilter
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.reserving import Reservations, reserve
from hydatis.scheduler.scoring import Evaluation
from hydatis.scheduler.selecting import best_rows, select


@dataclass(frozen=True, slots=True)
class Candidates:
    """A cycle in which nothing but the choice is left: the pod, and which nodes it could go to."""

    pod: PendingPod
    args: FilterArgs
    decision: Decision
    space: SearchSpace
    beside: Beside
    evaluation: Evaluation
    watching: Policy | None
    """As what the policy would score if its ensemble, which only watches, decided; None: none watches."""


@dataclass(frozen=True, slots=True)
class SchedulingCycle:
    """What a cycle works on."""

    cluster: Cluster
    reservations: Reservations
    nominations: Nominations
    preemptor: Preemptor
    evaluations: Evaluations
    profile: Profile
    random: np.random.Generator
    keep_evidence: bool = False
    """Whether decisions keep what they saw, to be explained later."""

    def run(self, pod: PendingPod, policies: Iterable[Policy], now: float) -> Instruction:
        """Find a node for the pod and reserve it, or say why there is none."""
        found = self.candidates(pod, policies, now)
        return self.choose(found) if isinstance(found, Candidates) else found

    def candidates(self, pod: PendingPod, policies: Iterable[Policy], now: float) -> Candidates | ReportUnschedulable:
        """Tell which nodes the pod could go to, or why it does not matter."""
        policy = self.policy_of(pod, policies)
        decision = self._undecided(pod, policy, now)
        if policy.mode is PolicyMode.PAUSED:
            return _paused(decision)
        args = policy.plugin_args.filters

        # 1. PreFilter: can this pod go anywhere at all, and are only some nodes worth a look?
        refusal = self._not_honoured(pod)
        if refusal is not None:
            return _unschedulable_everywhere(decision, refusal)
        space = prefilter(self.profile.prefilters, pod.pod_class.requirements, self.cluster)
        if isinstance(space, Rejected):
            report = _unschedulable_everywhere(decision, space)
            return self._make_room(pod, args, report, NO_ROWS) if self.cluster.node_count else report

        # 2. Filter and 3. Score: the nodes that changed since a like pod was last here.
        beside = self.nominations.beside(pod.reference.uid, pod.pod_class)
        evaluation = self._evaluate(pod, policy, space, beside)
        shadow = policy.mode_with(self.evaluations.models) is PolicyMode.SHADOW
        watching = policy.as_if_it_counted if shadow else None
        return Candidates(pod, args, decision, space, beside, evaluation, watching)

    def _evaluate(self, pod: PendingPod, policy: Policy, space: SearchSpace, beside: Beside) -> Evaluation:
        evaluation = self.evaluations.of(pod.pod_class, policy, space)
        # Nodes that are kept for others of at least its priority are filtered again, with these.
        if beside:
            filters = Filters(self.profile.with_filter_args(policy.plugin_args.filters), pod.pod_class, self.cluster)
            evaluation.leave_out(held_back(filters, self.cluster, evaluation.feasible, beside))
        return evaluation

    def choose(self, found: Candidates) -> Instruction:
        """Choose among the candidates and reserve the node, or say why there is none."""
        pod, evaluation, decision = found.pod, found.evaluation, found.decision

        # 4. NormalizeScore, weigh, and choose, unless the node that is kept for the pod will do.
        chosen = self._nominated_node(pod, evaluation)
        if chosen is not None:
            decision = replace(decision, feasible=1, chosen=chosen, nominated=True)
        else:
            ranking = evaluation.ranking()
            selection = select(ranking, self.random)
            if selection is None:
                return self._unschedulable(pod, found.args, decision, found.space, found.beside)
            rows = best_rows(ranking, selection, BEST if self.keep_evidence else 2)
            evidence = evaluation.evidence(rows) if self.keep_evidence else None
            best = evaluation.node_scores(rows) if evidence is None else evidence.best
            chosen = best[0]
            shadow, watching = self._shadow(found)
            decision = replace(
                decision,
                feasible=int(np.count_nonzero(evaluation.feasible)),
                chosen=chosen,
                runner_up=best[1] if len(best) > 1 else None,
                shadow=shadow,
                models=watching or evaluation.models_used,
                evidence=evidence,
            )
        return self.place(pod, chosen, decision)

    def _shadow(self, found: Candidates) -> tuple[NodeScore | None, tuple[ModelReference, ...]]:
        """Tell which node an ensemble that only watches would choose, and with which models; the first of equals, so
        that chance decides about the pod as it would without it.
        """
        if found.watching is None:
            return None, ()
        evaluation = self._evaluate(found.pod, found.watching, found.space, found.beside)
        return evaluation.node_score(int(evaluation.ranking().argmax())), evaluation.models_used

    def open_rows(self, found: Candidates) -> Rows:
        """Return the rows among which there is something to choose; none where the cycle knows the outcome."""
        if self._nominated_node(found.pod, found.evaluation) is not None:
            return NO_ROWS
        return np.flatnonzero(found.evaluation.feasible)

    def place(self, pod: PendingPod, chosen: NodeScore, decision: Decision) -> Instruction:
        """Reserve the chosen node, which is feasible."""
        row = self.cluster.row_of(chosen.node)
        assert row is not None, f"{chosen.node} was chosen and is not there"  # noqa: S101  a fault of the core itself

        # 5. Reserve: from here on the pod counts on that node, and its volumes as taken.
        before = self.cluster.events.position
        volumes = reserve(self.profile.reserves, pod.pod_class.requirements, self.cluster, row)
        self.reservations.assume(pod.reference, chosen.node, pod.pod_class, volumes)

        # 6. Permit: a plugin may still refuse, and then the reservation goes back.
        denied = permit(self.profile.permits, pod.reference, chosen.node, self.cluster)
        if denied is not None:
            self.reservations.forget(pod.reference.uid)
            # It came and went within the cycle. Were it known as a pod that left, it would wake itself, over and over.
            self.cluster.events.retract(before)
            return _unschedulable_everywhere(decision, Rejected(denied.plugin, denied.reason))

        # 7. Bind. The node that was kept for the pod is so no longer; after a refusal the report says the same.
        self.nominations.withdraw(pod.reference.uid, placed_on=chosen.node)
        return bind(chosen.node, decision, volumes)

    def policy_of(self, pod: PendingPod, policies: Iterable[Policy]) -> Policy:
        """Return the policy that is for the pod now."""
        identity = pod.pod_class.identity
        return select_policy(
            policies,
            namespace=identity.namespace,
            namespace_labels=self.cluster.placed.namespaces.get(identity.namespace, {}),
            pod_labels=identity.labels,
            pod_annotations=pod.annotations,
            scheduler_name=pod.scheduler_name,
        )

    def _not_honoured(self, pod: PendingPod) -> Rejected | None:
        """Refuse what no plugin here can honour yet: such a pod waits, it is never bound blindly."""
        missing = pod.pod_class.requirements.unsupported
        if missing:
            return Rejected(
                "Unsupported",
                f"HYDATIS does not honour {', '.join(missing)} yet; leave this pod to the default scheduler",
            )
        return None

    def _nominated_node(self, pod: PendingPod, evaluation: Evaluation) -> NodeScore | None:
        """Return the node that is kept for the pod if it is feasible (schedule_one.go, evaluateNominatedNode): it is
        then not compared with others.
        """
        node = self.nominations.node_of(pod.reference.uid)
        row = None if node is None else self.cluster.row_of(node)
        if node is None or row is None or not evaluation.feasible[row]:
            return None
        return NodeScore(node, 0, ())

    def _undecided(self, pod: PendingPod, policy: Policy, now: float) -> Decision:
        return Decision(
            pod=pod.reference,
            scheduler_name=pod.scheduler_name,
            policy=policy.name,
            policy_generation=policy.generation,
            mode=_mode(policy, self.evaluations.models),
            nodes=self.cluster.node_count,
            feasible=0,
            chosen=None,
            runner_up=None,
            rejections={},
            rejected_by=frozenset(),
            attempts=pod.attempts,
            first_queued_at=now if pod.first_queued_at is None else pod.first_queued_at,
            decided_at=now,
        )

    def _unschedulable(
        self, pod: PendingPod, args: FilterArgs, decision: Decision, space: SearchSpace, beside: Beside
    ) -> ReportUnschedulable:
        """Say which filter rejected how many nodes for which reason, and try to make room."""
        if not self.cluster.node_count:
            return ReportUnschedulable(pod.reference, NO_NODES, decision, nominated_node="")
        diagnosis = self.evaluations.diagnosis(pod.pod_class, args, space, beside)
        decision = replace(
            decision, rejections=diagnosis.reasons, rejected_by=diagnosis.plugins, rejected=diagnosis.by_plugin
        )
        message = no_nodes_available(decision.nodes, diagnosis.reasons)
        report = ReportUnschedulable(pod.reference, message, decision)
        return self._make_room(pod, args, report, diagnosis.resolvable)

    def _make_room(
        self, pod: PendingPod, args: FilterArgs, report: ReportUnschedulable, resolvable: Rows
    ) -> ReportUnschedulable:
        """PostFilter: displace pods of lower priority, if that helps."""
        if self.profile.preemption is None:
            return replace(report, nominated_node="")
        found = self.preemptor.run(pod.reference.uid, pod.pod_class, args, resolvable)
        message = f"{report.message} {told(found, self.cluster)}"
        if isinstance(found, NotEligible):
            return replace(report, message=message)
        if isinstance(found, NoCandidate):
            return replace(report, message=message, nominated_node="")
        node = self.cluster.node_name(found.row)
        preemption = self.preemptor.condemn(found, pod.pod_class, pod.scheduler_name)
        return replace(report, message=message, nominated_node=node, preemption=preemption)


def _paused(decision: Decision) -> ReportUnschedulable:
    """Look at no node: the policy keeps its pods waiting."""
    message = (
        f"Scheduling is paused by the policy {decision.policy}. It goes on when spec.mode of the policy is no longer "
        f"{PolicyMode.PAUSED}."
    )
    decision = replace(decision, rejected_by=frozenset({PolicyMode.PAUSED.value}))
    return ReportUnschedulable(decision.pod, message, decision, nominated_node="", paused=True)


def _unschedulable_everywhere(decision: Decision, rejected: Rejected) -> ReportUnschedulable:
    """Reject for a reason that does not depend on the nodes."""
    decision = replace(
        decision,
        feasible=0,
        chosen=None,
        runner_up=None,
        rejections={rejected.reason: decision.nodes},
        rejected_by=frozenset({rejected.plugin}),
        rejected=(PluginRejections(rejected.plugin, decision.nodes, {rejected.reason: decision.nodes}),),
        evidence=None,
    )
    message = f"{no_nodes_available(decision.nodes, {})} {rejected.reason}." if decision.nodes else NO_NODES
    return ReportUnschedulable(decision.pod, message, decision, nominated_node="")


def _mode(policy: Policy, models: Mapping[str, Model]) -> Mode:
    """Say who scores the nodes of a policy's pods."""
    return Mode.ENSEMBLE if policy.mode_with(models) is PolicyMode.ENSEMBLE else Mode.FALLBACK
