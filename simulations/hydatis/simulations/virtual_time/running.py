"""Plays a scenario: one queue of events in virtual time drives the decision core, with the events that the operator
would send, and carries out what it decides.

Called by the measures, the benchmarks and tests. Invariants, which the tests recount:

- a pod uses something only while it runs on a node, and runs only where the core put it;
- every pod that came is waiting, running, waiting to be made again, or has ended;
- time never runs back;
- the same arguments give the same record, byte for byte, on any machine.
"""

from collections import deque
from collections.abc import Iterator

import numpy as np

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Bind, Instruction, ReportUnschedulable
from hydatis.scheduler.open_decision import OpenDecision
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.simulations.virtual_time.choosing import ChoosingProfile, Outlook
from hydatis.simulations.virtual_time.event_queue import EventQueue, Happening, Planned
from hydatis.simulations.virtual_time.faults import NodeChange, plan_changes
from hydatis.simulations.virtual_time.machines import Machines
from hydatis.simulations.virtual_time.manifests import SCHEDULER_NAME, OwnerManifests, cordoned, unreachable
from hydatis.simulations.virtual_time.record import PodOutcome, RunRecord
from hydatis.simulations.virtual_time.recording import Recorder
from hydatis.simulations.virtual_time.remembering import remembered
from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.scraping import Scrape, Scraping
from hydatis.simulations.virtual_time.workload import Workload

_EVALUATION_MEMORY_BYTES = 2**29
"""Enough for the classes of all owners, on the largest cluster."""


def run(scenario: Scenario, workload: Workload, profile: Profile, seed: int) -> RunRecord:
    """Play a workload on a scenario's cluster under a policy.

    `profile` is the policy, made for this run alone, since policies hold state. `seed` decides how ties between nodes
    fall, which nodes fail when, and which metrics are missing; the latter two do not depend on the policy.
    """
    return Run(scenario, workload, profile, seed).play()


class Run:
    """One run under way."""

    def __init__(self, scenario: Scenario, workload: Workload, profile: Profile, seed: int) -> None:
        ties, faults, gaps, order, known = (np.random.default_rng([seed, stream]) for stream in range(5))
        self._scenario = scenario
        self._assumptions = scenario.assumptions
        self._workload = workload
        self.machines = Machines(scenario.nodes)
        self.scheduler = Scheduler(
            Settings(frozenset({SCHEDULER_NAME}), evaluation_memory_bytes=_EVALUATION_MEMORY_BYTES),
            random=ties,
            profile=profile,
        )
        self._chooser = profile if isinstance(profile, ChoosingProfile) else None
        self.queue = EventQueue()
        self.running = RunningPods(workload, self.machines.cpu_millicores, self.machines.memory_mib)
        self.recorder = Recorder(scenario, workload, self.machines)
        self._scraping = Scraping(len(self.machines), self._assumptions, gaps)
        self._scraped: deque[tuple[events.NodesMeasured, events.PodsMeasured]] = deque()
        """Metrics on their way to the scheduler."""
        self._plan, self._late = plan_changes(len(self.machines), scenario.length_seconds, self._assumptions, faults)
        self._node_order = order.permutation(len(self.machines)).tolist()
        self._owners = [OwnerManifests(owner) for owner in workload.owners]
        self._known = known
        self._owner_of_pod: list[int] = workload.owner_of_pod.tolist()
        self._created: list[float] = workload.created_seconds.tolist()
        self._next_pod = 0
        self._lives = [0] * len(workload)
        """How often each pod was made again."""
        self._kills = [0] * len(workload)
        self._left: list[float] = workload.lifetime_seconds.tolist()
        """Seconds of undisturbed running that each pod has to do when it starts the next time."""
        self._uids = [""] * len(workload)
        self._pods_by_uid: dict[str, int] = {}
        self._waiting: set[int] = set()
        """Pods that are to be placed."""
        self._impatient: set[int] = set()
        """Those of them whose giving up is planned."""
        self._chosen_nodes: dict[int, int] = {}
        """Nodes of the pods whose binding is under way."""
        self._on_dead_node: dict[int, list[int]] = {}
        """Pods that were on a node when it failed, or were bound to it since."""
        self._next_step = self._settled = 0.0
        self._handlers = {
            Happening.POD_ENDS: self._pod_ends,
            Happening.POD_STARTS: self._pod_starts,
            Happening.NODE_CHANGES: self._node_changes,
            Happening.METRICS_ARRIVE: self._metrics_arrive,
            Happening.POD_GIVES_UP: self._pod_gives_up,
            Happening.POD_IS_MADE_AGAIN: self._pod_is_made_again,
        }

    @property
    def waiting(self) -> frozenset[int]:
        """The pods that wait for a node."""
        return frozenset(self._waiting)

    def pod_of(self, uid: str) -> int:
        """Return which pod of the workload this is. Raises KeyError when there is none of the uid now."""
        return self._pods_by_uid[uid]

    def play(self) -> RunRecord:
        """Run from the beginning to the end."""
        self.begin()
        while self.proceed():
            pass
        return self.finish()

    def begin(self) -> None:
        """Bring in nodes and owners, and plan what does not depend on placements."""
        for namespace in sorted({owner.namespace for owner in self._workload.owners}):
            self.scheduler.handle(events.NamespaceSeen({"metadata": {"name": namespace}}), 0.0)
        for owner in self._owners:
            replica_set = owner.replica_set
            if replica_set is not None:
                self.scheduler.handle(events.WorkloadSeen(*replica_set), 0.0)
        if self._assumptions.history_seconds:
            keys = [owner.key for owner in self._owners]
            told = remembered(self._workload, keys, self._assumptions, self._known)
            self.scheduler.handle(events.OwnersRemembered(told), 0.0)
        for node in self._node_order:
            if node not in self._late:
                self._node_joins(node, 0.0)
        for number, planned in enumerate(self._plan):
            if planned.seconds < self._scenario.length_seconds:
                self.queue.plan(planned.seconds, Happening.NODE_CHANGES, number)

    def proceed(self) -> bool:
        """Let everything happen that happens next at one time; tell whether there was anything before the end."""
        now = self._next_seconds()
        if now >= self._scenario.length_seconds:
            return False
        for _ in self._turns_at(now):
            self._schedule(now)
        return True

    def turns(self) -> Iterator[float]:
        """Let everything happen up to the end; yield the time whenever pods may have to be placed, for one who places
        them in the stead of `proceed`: with `open_decision` and `decide` of the scheduler, and `carry_out`.
        """
        while (now := self._next_seconds()) < self._scenario.length_seconds:
            yield from self._turns_at(now)

    def _turns_at(self, now: float) -> Iterator[float]:
        self.queue.advance(now)
        while (planned := self.queue.due()) is not None:
            self._handlers[planned.kind](planned, now)
        self._pods_come(now)
        yield now
        if now == self._next_step:
            # Last, so that a sample shows what has become of everything that happened by then.
            self._step(now)
            yield now

    def finish(self) -> RunRecord:
        """Count what pods have done up to the end, and return the record."""
        end = self._scenario.length_seconds
        self.queue.advance(end)
        for pod in self.running.pod[self.running.taken].tolist():
            _, stretched = self.running.stop(pod, end)
            self.recorder.stretched(pod, stretched)
        return self.recorder.finish()

    def _next_seconds(self) -> float:
        now = min(self.queue.next_seconds(), self._next_step)
        if self._next_pod < len(self._created):
            now = min(now, self._created[self._next_pod])
        wake = self.scheduler.next_wake()
        if wake is not None and wake > self.queue.now:
            now = min(now, wake)
        return now

    def _pods_come(self, now: float) -> None:
        while self._next_pod < len(self._created) and self._created[self._next_pod] <= now:
            self._pod_comes(self._next_pod, now)
            self._next_pod += 1

    # What the core decides

    def _schedule(self, now: float) -> None:
        while (instruction := self._decided(now)) is not None:
            self.carry_out(instruction, now)

    def _decided(self, now: float) -> Instruction | None:
        """Let the core decide about the next pod, or the policy, if it is one that chooses."""
        if self._chooser is None:
            return self.scheduler.schedule_next(now)
        decided = self.scheduler.open_decision(now)
        if not isinstance(decided, OpenDecision):
            return decided
        pod = self._pods_by_uid[decided.pod.uid]
        nodes = sorted(map(self.machines.number_of, decided.nodes))
        outlook = Outlook(now, self._settled, self.machines, self.running)
        chosen = self._chooser.choose(pod, self._left[pod], nodes, outlook)
        return self.scheduler.decide(self.machines.names[chosen], now)

    def carry_out(self, instruction: Instruction, now: float) -> None:
        """Do what the scheduler said."""
        self.recorder.decisions += 1
        pod = self._pods_by_uid[instruction.pod.uid]
        if isinstance(instruction, ReportUnschedulable):
            self._turned_away(pod, instruction, now)
        elif self._assumptions.bind_seconds:
            self._bind_later(pod, instruction, now)
        else:
            self._waiting.discard(pod)
            self._bound(pod, self.machines.number_of(instruction.node), now)

    def _bind_later(self, pod: int, bind: Bind, now: float) -> None:
        self._waiting.discard(pod)
        self._chosen_nodes[pod] = self.machines.number_of(bind.node)
        self.queue.plan(now + self._assumptions.bind_seconds, Happening.POD_STARTS, pod, self._lives[pod])

    def _turned_away(self, pod: int, report: ReportUnschedulable, now: float) -> None:
        """Let the pod's owner lose patience one day; evict those who are to make way."""
        patience = float(self._workload.patience_seconds[pod])
        if pod not in self._impatient and np.isfinite(patience):
            self._impatient.add(pod)
            self.queue.plan(now + patience, Happening.POD_GIVES_UP, pod, self._lives[pod])
        if report.preemption is not None:
            victims = [self._pods_by_uid[victim.uid] for victim in report.preemption.victims]
            for victim in victims:
                self._evict(victim, now)
            if not_running := frozenset(self._uids[one] for one in victims if self._uids[one] in self._pods_by_uid):
                self.scheduler.handle(events.PreemptionFailed(report.pod.uid, not_running), now)

    def _pod_starts(self, planned: Planned, now: float) -> None:
        node = self._chosen_nodes.pop(planned.subject)
        self._bound(planned.subject, node, now)

    def _bound(self, pod: int, node: int, now: float) -> None:
        """The binding takes effect, unless the node has gone meanwhile."""
        uid = self._uids[pod]
        if not (self.machines.running[node] or node in self._on_dead_node):
            self._waiting.add(pod)
            self.scheduler.handle(events.BindFailed(uid, "the node is gone"), now)
            return
        owner = self._owners[self._owner_of_pod[pod]]
        self.scheduler.handle(events.BindSucceeded(uid), now)
        self.scheduler.handle(events.PodSeen(owner.pod(uid, self.machines.names[node])), now)
        self._impatient.discard(pod)
        self.recorder.placed(pod, node, now)
        if not self.machines.running[node]:
            self.recorder.ends(pod, PodOutcome.LOST, now)
            self._on_dead_node[node].append(pod)
            return
        self.running.start(pod, node, now, self._left[pod])
        self.recorder.runs(pod)
        if now + self._left[pod] <= self._next_step:
            self.queue.plan(now + self._left[pod], Happening.POD_ENDS, pod, self._lives[pod])

    # Pods

    def _pod_comes(self, pod: int, now: float) -> None:
        owner = self._owners[self._owner_of_pod[pod]]
        life = self._lives[pod]
        uid = self._uids[pod] = f"{owner.owner.name}-{pod}-{life}" if life else f"{owner.owner.name}-{pod}"
        self._pods_by_uid[uid] = pod
        self._waiting.add(pod)
        self.scheduler.handle(events.PodSeen(owner.pod(uid)), now)

    def _pod_is_made_again(self, planned: Planned, now: float) -> None:
        self._lives[planned.subject] += 1
        self.recorder.is_made_again(planned.subject)
        self._pod_comes(planned.subject, now)

    def _pod_ends(self, planned: Planned, now: float) -> None:
        pod = planned.subject
        if planned.life == self._lives[pod] and self.running.is_running(pod):
            self._stop(pod, now)
            self.recorder.ends(pod, PodOutcome.FINISHED, now)
            self._object_goes(pod, now)

    def _pod_gives_up(self, planned: Planned, now: float) -> None:
        pod = planned.subject
        if planned.life == self._lives[pod] and pod in self._waiting:
            self._waiting.discard(pod)
            self._impatient.discard(pod)
            self.recorder.ends(pod, PodOutcome.GAVE_UP, now)
            self._object_goes(pod, now)

    def _kill(self, pod: int, now: float) -> None:
        """The node has no memory left for it."""
        self._stop(pod, now)
        self._keep_work(pod)
        self.recorder.ends(pod, PodOutcome.KILLED, now)
        self._object_goes(pod, now)
        kills = self._kills[pod] = self._kills[pod] + 1
        if kills <= self._assumptions.most_kills:
            wait = min(self._assumptions.restart_seconds * 2.0 ** (kills - 1), self._assumptions.restart_most_seconds)
            self._make_again(pod, now + wait)

    def _evict(self, pod: int, now: float) -> None:
        """The pod is deleted for a drain or for a pod of higher priority."""
        if self.running.is_running(pod):
            self._stop(pod, now)
            self._keep_work(pod)
            self.recorder.waits(pod)
            self._object_goes(pod, now)
            self._make_again(pod, now + self._assumptions.recreation_seconds)

    def _stop(self, pod: int, now: float) -> None:
        self._left[pod], stretched = self.running.stop(pod, now)
        self.recorder.stretched(pod, stretched)

    def _keep_work(self, pod: int) -> None:
        """Decide how much a pod that was stopped early has to do when it is made again."""
        best_effort = self._workload.owners[self._owner_of_pod[pod]].best_effort
        if best_effort and self._assumptions.best_effort_starts_over:
            self._left[pod] = float(self._workload.lifetime_seconds[pod])

    def _object_goes(self, pod: int, now: float) -> None:
        uid = self._uids[pod]
        del self._pods_by_uid[uid]
        self.scheduler.handle(events.PodGone(uid), now)

    def _make_again(self, pod: int, seconds: float) -> None:
        self.queue.plan(seconds, Happening.POD_IS_MADE_AGAIN, pod)

    # Nodes

    def _node_changes(self, planned: Planned, now: float) -> None:
        change = self._plan[planned.subject]
        node = change.node
        match change.change:
            case NodeChange.FAILS:
                self._node_fails(node, now)
            case NodeChange.IS_KNOWN_LOST:
                self.scheduler.handle(events.NodeSeen(unreachable(self.machines.manifests[node])), now)
            case NodeChange.PODS_ARE_DELETED:
                for pod in self._on_dead_node.pop(node):
                    self._object_goes(pod, now)
                    self._make_again(pod, now + self._assumptions.recreation_seconds)
            case NodeChange.IS_DRAINED:
                self.scheduler.handle(events.NodeSeen(cordoned(self.machines.manifests[node])), now)
                self._evict_all(node, now)
            case NodeChange.LEAVES:
                self._evict_all(node, now)
                self.machines.running[node] = self.machines.known[node] = False
                self.scheduler.handle(events.NodeGone(self.machines.names[node]), now)
            case NodeChange.JOINS:
                self._node_joins(node, now)

    def _node_joins(self, node: int, now: float) -> None:
        self.machines.running[node] = self.machines.known[node] = True
        self.scheduler.handle(events.NodeSeen(self.machines.manifests[node]), now)

    def _node_fails(self, node: int, now: float) -> None:
        self.machines.running[node] = False
        pods = self.running.on_node(node)
        for pod in pods:
            self._stop(pod, now)
            self._keep_work(pod)
            self.recorder.ends(pod, PodOutcome.LOST, now)
        self._on_dead_node[node] = pods

    def _evict_all(self, node: int, now: float) -> None:
        for pod in self.running.on_node(node):
            self._evict(pod, now)

    # Usage and metrics

    def _step(self, now: float) -> None:
        """Scrape what was, settle what has been done, and see what pods want and get until the next step."""
        assumptions, running = self._assumptions, self.running
        if now and now % assumptions.scrape_seconds == 0:
            with_pods = now % assumptions.pod_scrape_seconds == 0
            self._scraped.append(self._telemetry(self._scraping.scrape(now, running, with_pods=with_pods)))
            self.queue.plan(now + assumptions.delivery_seconds, Happening.METRICS_ARRIVE)
        running.settle(now)
        self._settled = now
        running.look(now)
        for pod in running.over_memory(assumptions.memory_kill_percent / 100.0):
            self._kill(pod, now)
        running.share_cpu(assumptions.best_effort_least_percent / 100.0, assumptions.stretch)
        self._scraping.note(running, self.machines.running)
        until = min(now + assumptions.step_seconds, self._scenario.length_seconds)
        missing = running.by_node(running.cpu_wanted) - running.by_node(running.cpu_given)
        self.recorder.throttled(now, sum(missing.tolist()) / 1000.0 * (until - now))
        if now % assumptions.sample_seconds == 0:
            self.recorder.sample(now, running, len(self._waiting))
        self._next_step = now + assumptions.step_seconds
        for seconds, pod in running.ending_by(now, self._next_step):
            self.queue.plan(seconds, Happening.POD_ENDS, pod, self._lives[pod])

    def _telemetry(self, scrape: Scrape) -> tuple[events.NodesMeasured, events.PodsMeasured]:
        """Name nodes and pods as they are called at the time of the scrape."""
        names, uids = self.machines.names, self._uids
        return (
            events.NodesMeasured(
                [names[node] for node in scrape.nodes.tolist()],
                np.full(len(scrape.nodes), scrape.sampled_at),
                scrape.node_cpu_millicores,
                scrape.node_memory_bytes,
            ),
            events.PodsMeasured(
                list(map(uids.__getitem__, scrape.pods.tolist())),
                np.full(len(scrape.pods), scrape.sampled_at),
                scrape.pod_cpu_millicores,
                scrape.pod_memory_bytes,
            ),
        )

    def _metrics_arrive(self, planned: Planned, now: float) -> None:
        for measured in self._scraped.popleft():
            self.scheduler.handle(measured, now)
