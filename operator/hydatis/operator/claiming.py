"""PreBind of volumes: before a pod is bound to its node, its claims are bound to volumes that the node can reach.

The `driver` hands over every `Bind`. One without volumes goes straight on to `binding`; one with volumes goes there
when all of them are bound, or back to the core. Two steps: a job of the outbox writes the choice into volumes and
claims (`volume_updates`); then the pod waits for what the watches show (`storage`), which costs neither a task nor a
place in the outbox, however many wait and however long. Invariants: `bind` or `done` hears of every instruction once,
unless the operator stops first; nothing is undone on failure, because the next attempt reads what is there. Kubernetes'
pkg/scheduler/framework/plugins/volumebinding/binder.go, BindPodVolumes, with its texts.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from hydatis.operator.binding import VOLUMES_NOT_BOUND, BindDone
from hydatis.operator.outbox import Lane, Outbox
from hydatis.operator.storage import BOUND, PENDING, StorageView, Verdict, claim_key
from hydatis.operator.volume_updates import Updated, VolumeUpdates
from hydatis.scheduler.instructions import Bind, VolumesToBind

DEFAULT_TIMEOUT_SECONDS = 600.0
"""kube-scheduler's bindTimeoutSeconds."""


@dataclass(eq=False, slots=True)
class _Attempt:
    """One pod whose volumes are on their way."""

    instruction: Bind
    versions: dict[str, int] = field(default_factory=dict)
    """What was written: the name of a volume or the key of a claim, to its resource version from then on."""
    watched: set[str] = field(default_factory=set)
    """The volumes and claims whose changes concern it."""
    timer: asyncio.TimerHandle | None = None

    @property
    def volumes(self) -> VolumesToBind:
        return self.instruction.volumes


class Claimer:
    """Carries out `Bind.volumes`. `bind` is `Binder.submit`, `done` the driver's answer to a pod that is not bound."""

    def __init__(
        self,
        outbox: Outbox,
        updates: VolumeUpdates,
        view: StorageView,
        *,
        bind: Callable[[Bind], None],
        done: BindDone,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._outbox = outbox
        self._updates = updates
        self._view = view
        self._bind = bind
        self._done = done
        self._timeout_seconds = timeout_seconds
        self._attempts: dict[str, _Attempt] = {}
        """By the pod's uid."""
        self._concerned: dict[str, set[_Attempt]] = {}
        """By the name of a volume or the key of a claim."""
        view.changed = self._changed

    @property
    def waiting(self) -> int:
        """Pods whose volumes are on their way."""
        return len(self._attempts)

    def submit(self, instruction: Bind) -> None:
        """Bind the pod, once its volumes are bound."""
        if not instruction.volumes:
            self._bind(instruction)
            return
        attempt = _Attempt(instruction)
        self._attempts[instruction.pod.uid] = attempt
        self._outbox.put(Lane.CLAIM, lambda: self._write(attempt))

    def pod_gone(self, uid: str) -> None:
        """A pod was deleted: nothing is to be bound any more."""
        attempt = self._attempts.get(uid)
        if attempt is not None:
            self._close(attempt)
            self._done(attempt.instruction, "gone", "pod does not exist any more")

    def take_back(self, uid: str) -> bool:
        """A pod is to make way for one of higher priority: before it is bound, that needs no deletion. Whether it was
        in time (framework/runtime/pods_in_prebind_map.go, CancelPod).
        """
        attempt = self._attempts.get(uid)
        if attempt is None:
            return False
        self._close(attempt)
        self._done(attempt.instruction, "withdrawn", "preempted by DefaultPreemption")
        return True

    def node_gone(self, name: str) -> None:
        """A node was deleted: the pods that were to run there need another."""
        for attempt in [one for one in self._attempts.values() if one.instruction.node == name and one.timer]:
            self._check(attempt)

    def stop(self) -> None:
        """Forget all that wait; the next start finds their volumes as far as they have come."""
        for attempt in list(self._attempts.values()):
            self._close(attempt)

    async def _write(self, attempt: _Attempt) -> None:
        if not self._is_on(attempt):
            return
        try:
            reason = await self._write_all(attempt)
        except Exception:
            # A defect, which the outbox counts and tells; the pod must not be lost to it.
            self._give_back(attempt, "an unexpected fault, see the log")
            raise
        if reason:
            self._give_back(attempt, reason)
        elif self._is_on(attempt):
            self._wait(attempt)

    async def _write_all(self, attempt: _Attempt) -> str:
        """Write the core's choice into volumes and claims, as long as the pod is there; why that failed, or nothing."""
        for wanted in attempt.volumes.bind:
            claim = self._view.claim(wanted.claim)
            if claim is None:
                return f'persistentvolumeclaims "{claim_key(wanted.claim)}" not found'
            updated = await self._updates.claim_volume(wanted, claim.version)
            if not self._note(attempt, wanted.volume, updated):
                return updated.reason
        for reference in attempt.volumes.provision:
            updated = await self._updates.select_node(reference, attempt.instruction.node)
            if not self._note(attempt, claim_key(reference), updated):
                return updated.reason
        return ""

    def _note(self, attempt: _Attempt, key: str, updated: Updated) -> bool:
        """Keep the version; whether to go on."""
        attempt.versions[key] = updated.version
        return not updated.reason and self._is_on(attempt)

    def _wait(self, attempt: _Attempt) -> None:
        loop = asyncio.get_running_loop()
        attempt.timer = loop.call_later(self._timeout_seconds, self._expire, attempt)
        for wanted in attempt.volumes.bind:
            self._heed(attempt, wanted.volume)
            self._heed(attempt, claim_key(wanted.claim))
        for reference in attempt.volumes.provision:
            self._heed(attempt, claim_key(reference))
        self._check(attempt)

    def _heed(self, attempt: _Attempt, key: str) -> None:
        attempt.watched.add(key)
        self._concerned.setdefault(key, set()).add(attempt)

    def _changed(self, key: str) -> None:
        """A claim or a volume changed."""
        for attempt in tuple(self._concerned.get(key, ())):
            self._check(attempt)

    def _check(self, attempt: _Attempt) -> None:
        verdict = self._verdict(attempt)
        if verdict.reason:
            self._give_back(attempt, f"binding volumes: {verdict.reason}")
        elif verdict.bound:
            self._close(attempt)
            self._bind(attempt.instruction)

    def _verdict(self, attempt: _Attempt) -> Verdict:
        """The first failure, else whether all are bound."""
        node, volumes, versions = attempt.instruction.node, attempt.volumes, attempt.versions
        verdicts = [self._view.node(node)]
        verdicts += [self._view.claimed(wanted, versions[wanted.volume], node) for wanted in volumes.bind]
        for reference in volumes.provision:
            verdicts.append(self._view.provisioned(reference, versions[claim_key(reference)], node))
            claim = self._view.claim(reference)
            if claim is not None and claim.volume:
                # The watch may show the provisioned volume later than its claim.
                self._heed(attempt, claim.volume)
        so_far = BOUND if all(verdict.bound for verdict in verdicts) else PENDING
        return next((verdict for verdict in verdicts if verdict.reason), so_far)

    def _expire(self, attempt: _Attempt) -> None:
        self._give_back(attempt, "binding volumes: context deadline exceeded")

    def _give_back(self, attempt: _Attempt, reason: str) -> None:
        """Let the core decide anew about the pod, unless that is settled already."""
        if self._is_on(attempt):
            self._close(attempt)
            text = f'running PreBind plugin "VolumeBinding": {reason}'
            self._done(attempt.instruction, VOLUMES_NOT_BOUND, text)

    def _is_on(self, attempt: _Attempt) -> bool:
        return self._attempts.get(attempt.instruction.pod.uid) is attempt

    def _close(self, attempt: _Attempt) -> None:
        del self._attempts[attempt.instruction.pod.uid]
        if attempt.timer is not None:
            attempt.timer.cancel()
        for key in attempt.watched:
            concerned = self._concerned[key]
            concerned.discard(attempt)
            if not concerned:
                del self._concerned[key]
