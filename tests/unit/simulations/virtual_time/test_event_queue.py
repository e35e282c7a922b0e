"""Events come out in order, and time never runs back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.simulations.virtual_time.event_queue import EventQueue, Happening


def test_at_one_time_ends_come_first_and_what_wants_a_node_last() -> None:
    queue = EventQueue()
    for kind in (Happening.POD_IS_MADE_AGAIN, Happening.METRICS_ARRIVE, Happening.NODE_CHANGES, Happening.POD_ENDS):
        queue.plan(5.0, kind)
    queue.advance(5.0)
    found = [planned.kind for planned in iter(queue.due, None)]
    assert found == [Happening.POD_ENDS, Happening.NODE_CHANGES, Happening.METRICS_ARRIVE, Happening.POD_IS_MADE_AGAIN]


def test_equals_come_in_the_order_in_which_they_were_planned() -> None:
    queue = EventQueue()
    for subject in (3, 1, 2):
        queue.plan(5.0, Happening.POD_ENDS, subject)
    queue.advance(5.0)
    assert [planned.subject for planned in iter(queue.due, None)] == [3, 1, 2]


def test_nothing_is_due_before_its_time() -> None:
    queue = EventQueue()
    queue.plan(5.0, Happening.METRICS_ARRIVE)
    queue.advance(4.9)
    assert queue.due() is None
    assert queue.next_seconds() == 5.0


def test_nothing_can_be_planned_for_the_past_and_time_cannot_run_back() -> None:
    queue = EventQueue()
    queue.advance(10.0)
    with pytest.raises(ValueError, match=r"METRICS_ARRIVE planned for 9\.0 s, but it is 10\.0 s already"):
        queue.plan(9.0, Happening.METRICS_ARRIVE)
    with pytest.raises(ValueError, match="time cannot run back"):
        queue.advance(9.0)


@given(st.lists(st.floats(0, 1e6), max_size=50))
def test_whatever_is_planned_comes_out_once_and_in_order(times: list[float]) -> None:
    queue = EventQueue()
    for subject, seconds in enumerate(times):
        queue.plan(seconds, Happening.POD_ENDS, subject)
    found = []
    while (seconds := queue.next_seconds()) < float("inf"):
        queue.advance(seconds)
        found += [planned.subject for planned in iter(queue.due, None)]
    assert [times[subject] for subject in found] == sorted(times)
    assert sorted(found) == list(range(len(times)))
