"""Plays a history on a real control plane, step by step, with the core following.

Each step is awaited in kube-scheduler's log until it took effect: a pod that came was bound or found unschedulable, one
that was deleted has left kube-scheduler's cache or queue. While pods wait, a step may bring some of them back, and so
the log must be quiet, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from hydatis.sandbox.components import Component
from hydatis.sandbox.controlplane import MINIMAL, ControlPlane
from hydatis.sandbox.replaying.comparing import Agreement, Comparison, Reason
from hydatis.sandbox.replaying.errors import ReplayError
from hydatis.sandbox.replaying.fill import Fill
from hydatis.sandbox.replaying.following import Decision, Following
from hydatis.sandbox.replaying.history import History, Step
from hydatis.sandbox.replaying.objects import create_surroundings, pods_path, real_pod
from hydatis.sandbox.replaying.scheduler_log import ARGUMENTS, Attempt, LogReader, Removal
from hydatis.sandbox.scheduler_process import KubeSchedulerProcess
from hydatis.simulations.virtual_time.manifests import SCHEDULER_NAME

COMPONENTS = MINIMAL | {Component.KWOK}
"""No kube-controller-manager: `objects` says why."""

_CONFIGURATION = {"podMaxBackoffSeconds": 1}
"""Steps follow one another so fast that pods are still in their backoff when a step brings them back. Those that failed
most often would then be tried last. In the simulation's times backoffs are over by then, and the pods are tried in the
order in which they last failed; with backoffs of the same length they are here, too.
"""
_POLL_SECONDS = 0.001
_QUIET_SECONDS = 0.03
"""kube-scheduler takes up a pod that an event brings back within a millisecond."""
_RETRY_SECONDS = 12.0
"""Longer than the longest backoff of kube-scheduler."""
_STEP_SECONDS = 60.0
_AT_ONCE = {"gracePeriodSeconds": 0}
"""A pod that is shutting down still counts on its node; in the simulation it is gone when it ends."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was seen."""

    decisions: list[Decision]
    fill: Fill
    """How full the real nodes are at the end; it has seen every step."""
    seconds: float


def play(
    history: History, seed: int, control_plane: ControlPlane, told: Callable[[int, int], None] = lambda step, of: None
) -> Played:
    """Play it on a control plane with `COMPONENTS` and nothing in it; `told` hears of every step.

    Raises:
        SandboxError: kube-scheduler did not start, or the API server refused an object.
        ReplayError: kube-scheduler did nothing for a minute, or failed, or the API server has pods elsewhere.

    """
    create_surroundings(control_plane, history)
    with KubeSchedulerProcess.start(control_plane, SCHEDULER_NAME, ARGUMENTS, _CONFIGURATION) as process:
        player = _Player(history, seed, control_plane, process)
        try:
            return player.play(told)
        finally:
            player.close()


class _Player:
    def __init__(self, history: History, seed: int, control_plane: ControlPlane, process: KubeSchedulerProcess) -> None:
        self._history = history
        self._control_plane = control_plane
        self._api = control_plane.api
        self._process = process
        self._reader = LogReader(process.log)
        self._following = Following(history, seed)
        self._decisions: list[Decision] = []
        self._now = 0.0
        self._left_waiting: set[int] = set()
        self._attempted: set[int] = set()
        self._gone: set[int] = set()
        self._going: dict[int, bool] = {}
        """Pods that are being deleted, and whether each was placed."""

    def close(self) -> None:
        """Close the log."""
        self._reader.close()

    def play(self, told: Callable[[int, int], None]) -> Played:
        """Take all steps."""
        started = time.monotonic()
        for number, step in enumerate(self._history.steps):
            told(number, len(self._history.steps))
            self._now = step.seconds
            self._take(step)
            self._following.fill.sample()
        seconds = time.monotonic() - started
        self._check_placements()
        return Played(self._decisions, self._following.fill, seconds)

    def _take(self, step: Step) -> None:
        pod, path = step.pod, pods_path(self._history, step.pod)
        if step.comes:
            self._api.call("POST", path, real_pod(self._history, pod))
            self._await(lambda: pod in self._attempted, f"decide about {self._history.key(pod)}")
        else:
            self._going[pod] = self._following.fill.node_of(pod) is not None
            self._api.call("DELETE", f"{path}/{self._history.name(pod)}", _AT_ONCE)
            self._await(lambda: pod in self._gone, f"notice that {self._history.key(pod)} is gone")
        if self._following.fill.waiting:
            self._await_quiet()
            self._await_overdue()

    def _await(self, reached: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _STEP_SECONDS
        while not reached():
            self._read()
            if time.monotonic() >= deadline:
                raise ReplayError(
                    f"kube-scheduler did not {what} within {_STEP_SECONDS:.0f} s; the machine may be too busy, or the "
                    "format of its log another one than that of the version that is pinned."
                )

    def _await_quiet(self) -> None:
        """Wait until no attempt is under way and nothing was logged for a moment."""
        last = time.monotonic()
        self._await(lambda: not self._reader.account.busy, "end an attempt")
        while self._reader.account.busy or time.monotonic() - last < _QUIET_SECONDS:
            if self._read():
                last = time.monotonic()

    def _await_overdue(self) -> None:
        """Let kube-scheduler take up the pods that fit by now; note those that it leaves waiting."""
        deadline = time.monotonic() + _RETRY_SECONDS
        while overdue := [pod for pod in self._following.overdue() if pod not in self._left_waiting]:
            if time.monotonic() >= deadline:
                self._left_waiting.update(overdue)
                comparison = Comparison(Agreement.DIFFERENT, Reason.LEFT_WAITING)
                self._decisions += [Decision(self._history.key(pod), None, None, 0, comparison) for pod in overdue]
                return
            self._await_quiet()

    def _read(self) -> bool:
        """Read what kube-scheduler did, and follow; tell whether there was anything new."""
        new = self._reader.read()
        account = self._reader.account
        if account.failure is not None:
            raise ReplayError(f"kube-scheduler failed; it said: {account.failure}")
        while account.done and not (isinstance(account.done[0], Attempt) and not account.done[0].complete):
            self._follow(account.done.popleft())
        if not new:
            if not self._process.alive():
                raise ReplayError("kube-scheduler has ended; see whether the machine has memory left.")
            time.sleep(_POLL_SECONDS)
        return new

    def _follow(self, done: Attempt | Removal) -> None:
        pod = self._history.pod_of(done.pod)
        if pod is None:
            return
        if isinstance(done, Attempt):
            self._decisions.append(self._following.decided(pod, done, self._now))
            self._attempted.add(pod)
        elif self._going.get(pod) is done.placed:
            del self._going[pod]
            self._following.removed(pod, self._now)
            self._gone.add(pod)

    def _check_placements(self) -> None:
        """Hold what the log said against the API server's own pods."""
        names = self._history.machines.names
        placed = {self._history.key(pod): names[node] for pod, node in self._following.fill.placements.items()}
        found = {
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod["spec"]["nodeName"]
            for namespace in self._history.namespaces
            for pod in self._api.call("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
            if pod["spec"].get("nodeName")
        }
        other = sorted(key for key in placed.keys() | found.keys() if placed.get(key) != found.get(key))
        if other:
            raise ReplayError(
                f"{len(other)} pods are on other nodes than kube-scheduler's log says, first {other[0]}; "
                "something else acts on this cluster."
            )
