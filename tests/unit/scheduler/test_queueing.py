"""When a pod is tried, and when it is tried again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.pending_pod import PendingPod, PodState
from hydatis.scheduler.queueing import QueueEvent, QueueSettings, SchedulingQueue
from hydatis.scheduler.testing import pod, pod_class_of

_CLASS = pod_class_of(Cluster(), pod())
_REJECTED = frozenset({"NodeAffinity"})
_WAITING = (PodState.ACTIVE, PodState.BACKOFF, PodState.UNSCHEDULABLE, PodState.GATED, PodState.BINDING)


def _pod(name: str, priority: int = 0) -> PendingPod:
    reference = PodReference("default", name, name)
    return PendingPod(reference, _CLASS, priority, annotations={}, gated=False)


def _queue() -> SchedulingQueue:
    return SchedulingQueue(QueueSettings())


def test_backoff_doubles_from_one_second_to_ten() -> None:
    queue, waiting = _queue(), _pod("p")
    queue.activate(waiting, 0.0, QueueEvent.POD_ADD)
    now, waits = 0.0, []
    for _ in range(6):
        assert queue.pop(now) is waiting
        queue.back_off(waiting, now, QueueEvent.BIND_FAILURE)
        wake = queue.next_wake()
        assert wake is not None
        waits.append(wake - now)
        assert queue.pop(wake - 0.001) is None
        now = wake
    assert waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_a_pod_that_failed_thousands_of_times_still_backs_off_ten_seconds() -> None:
    queue, waiting = _queue(), _pod("p")
    waiting.attempts, waiting.last_attempt_at = 100_000, 50.0
    queue.back_off(waiting, 50.0, QueueEvent.BIND_FAILURE)
    assert queue.next_wake() == 60.0


def test_an_unschedulable_pod_is_flushed_after_five_minutes_and_marked() -> None:
    queue, waiting = _queue(), _pod("p")
    queue.activate(waiting, 0.0, QueueEvent.POD_ADD)
    queue.pop(0.0)
    queue.park(waiting, 0.0, _REJECTED)
    assert queue.next_wake() == 300.0
    assert queue.pop(299.0) is None
    assert queue.pop(300.0) is waiting
    assert waiting.flushed
    assert queue.incoming[PodState.ACTIVE, QueueEvent.UNSCHEDULABLE_TIMEOUT] == 1


def test_a_pod_that_leaves_takes_all_its_places_with_it() -> None:
    queue, waiting = _queue(), _pod("p")
    queue.activate(waiting, 0.0, QueueEvent.POD_ADD)
    queue.pop(0.0)
    queue.park(waiting, 0.0, _REJECTED)
    queue.remove(waiting)
    assert queue.next_wake() is None
    assert not queue.unschedulable.rejections()
    assert all(queue.count(state) == 0 for state in _WAITING)


_moves = st.lists(
    st.tuples(st.sampled_from(["activate", "back_off", "park", "gate", "remove", "pop", "wait"]), st.integers(0, 4)),
    max_size=80,
)


@settings(deadline=None)
@given(_moves)
def test_every_pod_is_in_exactly_one_queue_whatever_happens(moves: list[tuple[str, int]]) -> None:
    queue = _queue()
    pods = [_pod(f"p{number}", priority=number % 2) for number in range(5)]
    now = 0.0
    for move, number in moves:
        chosen = pods[number]
        if move == "wait":
            now += 10.0 ** (number - 1)
        elif move == "pop":
            popped = queue.pop(now)
            assert popped is None or popped.state is PodState.BINDING
        elif move == "activate":
            queue.activate(chosen, now, QueueEvent.POD_UPDATE)
        elif move == "back_off":
            queue.back_off(chosen, now, QueueEvent.POD_UPDATE)
        elif move == "park":
            queue.park(chosen, now, _REJECTED)
        elif move == "gate":
            queue.gate(chosen, QueueEvent.POD_UPDATE)
        else:
            queue.remove(chosen)
        counted = {state: sum(p.state is state for p in pods) for state in _WAITING}
        assert {state: queue.count(state) for state in _WAITING} == counted
        parked = {uid for parked in queue.unschedulable.classes_rejected_by(_REJECTED) for uid in parked.pods}
        assert parked == {p.reference.uid for p in pods if p.state is PodState.UNSCHEDULABLE}
    # In the end every pod that is active, backing off or unschedulable comes out, once.
    due = {p.reference.uid for p in pods if p.state in (PodState.ACTIVE, PodState.BACKOFF, PodState.UNSCHEDULABLE)}
    out = []
    while (popped := queue.pop(now + 1e6)) is not None:
        out.append(popped.reference.uid)
    assert sorted(out) == sorted(due)
