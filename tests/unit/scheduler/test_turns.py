"""The order in which the pods of a parked class come back."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.pending_pod import PendingPod
from hydatis.scheduler.testing import pod, pod_class_of
from hydatis.scheduler.turns import Turns

_CLASS = pod_class_of(Cluster(), pod())


def _pod(number: int, priority: int, queued_at: float) -> PendingPod:
    reference = PodReference("default", str(number), str(number))
    waiting = PendingPod(reference, "hydatis", _CLASS, priority, annotations={}, gated=False, queued_at=queued_at)
    waiting.parked_number = number
    return waiting


_moves = st.lists(
    st.tuples(st.sampled_from(["park", "park", "leave", "renew", "wait", "take", "take from some"]), st.integers(0, 9)),
    max_size=120,
)


@settings(deadline=None)
@given(_moves)
def test_pods_come_back_in_the_order_of_the_queue_and_those_that_failed_just_now_do_not(
    moves: list[tuple[str, int]],
) -> None:
    turns, now = Turns(), 0.0
    backoffs: dict[str, float] = {}
    fresh: list[PendingPod] = []
    lined_up: list[PendingPod] = []

    def order(waiting: PendingPod) -> tuple[float, ...]:
        ready_at = backoffs[waiting.reference.uid]
        rank = (-waiting.priority, waiting.queued_at, waiting.parked_number)
        return (0.0, *rank) if ready_at <= now else (1.0, ready_at, *rank)

    for count, (move, number) in enumerate(moves, start=1):
        lined_up.sort(key=order)
        assert turns.first(now) == (order(lined_up[0])[:-1] if lined_up else None)
        if move == "park":
            parked = _pod(count, number % 3, now)
            backoffs[parked.reference.uid] = now + number
            fresh.append(parked)
            turns.add(parked, len(fresh) + len(lined_up))
        elif move == "leave" and lined_up + fresh:
            leaving = (lined_up + fresh)[number % len(lined_up + fresh)]
            leaving.parked_number = 0
            lined_up, fresh = ([one for one in pods if one is not leaving] for pods in (lined_up, fresh))
        elif move == "renew":
            lined_up, fresh = lined_up + fresh, []
            turns.renew(lambda one: backoffs[one.reference.uid], len(lined_up))
        elif move == "wait":
            now += number / 2.0
        elif move.startswith("take"):
            some = [one for one in lined_up if move == "take" or int(one.reference.uid) % 2]
            among = None if move == "take" else {one.reference.uid for one in some}
            taken = turns.take(now, among)
            assert taken is (some[0] if some else None)
            if taken is not None:
                taken.parked_number = 0
                lined_up.remove(taken)


def test_pods_that_left_do_not_pile_up() -> None:
    turns, stays = Turns(), _pod(1, 9, 0.0)
    turns.add(stays, 1)
    for number in range(2, 3000):
        leaves = _pod(number, 0, 1.0)
        turns.add(leaves, 2)
        if number % 3:
            turns.renew(lambda _: 0.0, 2)
        leaves.parked_number = 0
    kept = [getattr(turns, name) for name in Turns.__slots__]
    assert sum(map(len, kept)) < 200
    assert turns.take(5.0) is stays
