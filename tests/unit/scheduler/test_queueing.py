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
    return PendingPod(reference, "hydatis", _CLASS, priority, annotations={}, gated=False)


def _queue() -> SchedulingQueue:
    return SchedulingQueue(QueueSettings())


def _tried(queue: SchedulingQueue, *pods: PendingPod, now: float = 0.0) -> None:
    """Put pods in and take them out again, as for an attempt."""
    for waiting in pods:
        waiting.queued_at = now
        queue.activate(waiting, now, QueueEvent.POD_ADD)
    for _ in pods:
        assert queue.pop(now) is not None


def test_backoff_after_failed_bindings_doubles_from_one_second_to_ten_and_ends_with_its_window() -> None:
    queue, waiting = _queue(), _pod("p")
    _tried(queue, waiting)
    now, waits = 0.25, []
    for _ in range(6):
        queue.back_off_after_error(waiting, now)
        wake = queue.next_wake()
        assert wake is not None
        waits.append(wake - now)
        assert queue.pop(wake - 0.001) is None
        assert queue.pop(wake) is waiting
        now = wake
    # Aligned to whole seconds as kube-scheduler's: up to one second more than 1, 2, 4, 8, 10, 10.
    assert waits == [1.75, 3.0, 5.0, 9.0, 11.0, 11.0]


def test_a_pod_whose_binding_failed_thousands_of_times_still_backs_off_ten_seconds() -> None:
    queue, waiting = _queue(), _pod("p")
    waiting.consecutive_errors = 100_000
    queue.back_off_after_error(waiting, 50.0)
    assert queue.next_wake() == 61.0


def test_rejections_and_failed_bindings_count_apart() -> None:
    queue, waiting = _queue(), _pod("p")
    waits = []
    _tried(queue, waiting)
    for failure in ("reject", "reject", "error", "reject", "error", "error"):
        if failure == "reject":
            queue.park(waiting, 0.0, _REJECTED)
            queue.back_off(waiting, 0.0, QueueEvent.CLUSTER_CHANGE)
        else:
            queue.back_off_after_error(waiting, 0.0)
        wake = queue.next_wake()
        assert wake is not None
        waits.append(wake - 1.0)
        assert queue.pop(wake) is waiting
    # Rejections add up, 1, 2, 4; errors begin anew after each rejection, 1, then 1, 2.
    assert waits == [1.0, 2.0, 1.0, 4.0, 1.0, 2.0]


def test_with_no_pod_active_a_rejected_pod_need_not_wait_for_the_end_of_its_backoff() -> None:
    queue, waiting = _queue(), _pod("p")
    _tried(queue, waiting)
    queue.park(waiting, 0.0, _REJECTED)
    assert queue.pop(0.0) is None, "nothing brought it into backoff yet"
    queue.back_off(waiting, 0.0, QueueEvent.CLUSTER_CHANGE)
    assert waiting.state is PodState.BACKOFF
    newcomer = _pod("newcomer")
    queue.activate(newcomer, 0.0, QueueEvent.POD_ADD)
    assert queue.pop(0.0) is newcomer
    assert queue.pop(0.0) is waiting
    assert queue.incoming[PodState.ACTIVE, QueueEvent.POP_FROM_BACKOFF] == 1


def test_within_a_window_of_backoff_priority_counts_before_time() -> None:
    queue = _queue()
    early, urgent, late = _pod("early"), _pod("urgent", priority=5), _pod("late", priority=9)
    for waiting, failed_at in ((early, 0.1), (urgent, 0.8), (late, 1.1)):
        _tried(queue, waiting, now=failed_at)
        queue.park(waiting, failed_at, _REJECTED)
    for waiting in (late, early, urgent):
        queue.back_off(waiting, 1.2, QueueEvent.CLUSTER_CHANGE)
    assert [queue.pop(1.2) for _ in range(3)] == [urgent, early, late]


def test_of_equal_priority_the_pod_that_waits_longest_goes_first_wherever_it_comes_from() -> None:
    queue = _queue()
    rejected, newcomer, failed = _pod("rejected"), _pod("newcomer"), _pod("failed")
    _tried(queue, rejected, failed)
    queue.park(rejected, 2.0, _REJECTED)
    queue.back_off_after_error(failed, 1.0)
    newcomer.queued_at = 3.0
    queue.activate(newcomer, 3.0, QueueEvent.POD_ADD)
    queue.back_off(rejected, 9.0, QueueEvent.CLUSTER_CHANGE)
    assert [queue.pop(9.0) for _ in range(3)] == [failed, rejected, newcomer]


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
    st.tuples(
        st.sampled_from(["activate", "back_off", "fail", "park", "gate", "remove", "pop", "wait"]), st.integers(0, 4)
    ),
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
        elif move == "fail":
            queue.back_off_after_error(chosen, now)
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
    for number in range(1, 20):
        # Of pods that are flushed together the next of a class waits a second for the one before.
        while (popped := queue.pop(now + 1e6 + number)) is not None:
            out.append(popped.reference.uid)
    assert sorted(out) == sorted(due)
