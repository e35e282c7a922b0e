"""What nodes and pods are measured to use, and what is assumed between samples."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler import events
from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.decision import PodReference
from hydatis.scheduler.instructions import Bind
from hydatis.scheduler.measured_load import MeasuredLoad
from hydatis.scheduler.pod_loads import LATEST_SAMPLE_SECONDS
from hydatis.scheduler.reserving import Reservations, Standing
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import cluster_of, node, pod, pod_class_of, requirements_of

NAN = float("nan")
WINDOW = 60.0


def measure(load: MeasuredLoad, cluster: Cluster, at: float, **cpu: float) -> bool:
    rows = np.array([cluster.row_of(name) for name in cpu], dtype=np.intp)
    values = np.array(list(cpu.values()))
    return load.measure_nodes(rows, np.full(len(rows), at), values, values * 2**20)


def cpu_of(cluster: Cluster, name: str) -> float:
    row = cluster.row_of(name)
    assert row is not None
    return float(cluster.load.cpu_millicores[row])


def scheduler_of(*names: str) -> tuple[Scheduler, Cluster]:
    scheduler = Scheduler(random=np.random.default_rng(1))
    for name in names:
        scheduler.handle(events.NodeSeen(node(name).manifest()), 0.0)
    return scheduler, scheduler._cluster


def nodes_measured(*samples: tuple[str, float, float, float]) -> events.NodesMeasured:
    names, at, cpu, memory = zip(*samples, strict=True)
    return events.NodesMeasured(names, *(np.array(values) for values in (at, cpu, memory)))


def pods_measured(*samples: tuple[str, float, float, float]) -> events.PodsMeasured:
    uids, at, cpu, memory = zip(*samples, strict=True)
    return events.PodsMeasured(uids, *(np.array(values) for values in (at, cpu, memory)))


def test_samples_of_nodes_are_kept_and_those_of_unknown_nodes_left_out() -> None:
    scheduler, cluster = scheduler_of("a", "b")
    scheduler.handle(nodes_measured(("a", 30.0, 500.0, 1e9), ("ghost", 30.0, 1.0, 1.0), ("b", 30.0, NAN, 2e9)), 40.0)
    assert cpu_of(cluster, "a") == 500.0
    row = cluster.row_of("b")
    assert row is not None
    assert np.isnan(cluster.load.cpu_millicores[row])
    assert cluster.load.memory_bytes[row] == 2e9


def test_samples_that_are_no_news_change_nothing() -> None:
    scheduler, cluster = scheduler_of("a")
    scheduler.handle(nodes_measured(("a", 60.0, 500.0, 1e9)), 61.0)
    position = cluster.load.changes.position
    for sample in (("a", 60.0, 700.0, 1e9), ("a", 30.0, 700.0, 1e9), ("a", 90.0, NAN, NAN), ("a", NAN, 700.0, 1e9)):
        scheduler.handle(nodes_measured(sample), 91.0)
    assert cpu_of(cluster, "a") == 500.0
    assert cluster.load.changes.position == position


def test_a_node_that_went_is_not_measured_any_more_when_it_comes_back() -> None:
    scheduler, cluster = scheduler_of("a", "b")
    scheduler.handle(nodes_measured(("a", 30.0, 500.0, 1e9)), 30.0)
    scheduler.handle(events.NodeGone("a"), 40.0)
    scheduler.handle(nodes_measured(("a", 60.0, 500.0, 1e9)), 60.0)
    scheduler.handle(events.NodeSeen(node("a").manifest()), 70.0)
    assert np.isnan(cpu_of(cluster, "a"))
    row = cluster.row_of("a")
    assert row is not None
    assert cluster.load.sampled_at[row] == -np.inf
    assert np.isnan(cluster.load.over(900.0).cpu_mean_millicores[row])


def test_rows_grow_and_keep_what_was_measured() -> None:
    cluster = cluster_of(*(node(f"n{number}") for number in range(60)))
    load = cluster.load
    load.advance(10.0)
    load.younger(cluster.rows(), 180.0)
    measure(load, cluster, 10.0, n7=700.0)
    assert load.over(900.0).cpu_mean_millicores[cluster.row_of("n7")] == 700.0
    for number in range(60, 300):
        cluster.set_node(node(f"n{number}").manifest())
    measure(load, cluster, 40.0, n7=900.0, n299=100.0)
    window = load.over(900.0)
    assert window.cpu_mean_millicores[cluster.row_of("n7")] == 800.0
    assert window.cpu_deviation_millicores[cluster.row_of("n7")] == 100.0
    assert window.cpu_mean_millicores[cluster.row_of("n299")] == 100.0
    assert load.peaks.hour[0].highest[cluster.row_of("n7")] == 800.0


def test_windows_hold_the_samples_up_to_the_last_one() -> None:
    cluster = cluster_of(node("n"))
    load = cluster.load
    row = cluster.row_of("n")
    assert row is not None
    for minute, cpu in enumerate([9000.0, *[1000.0, 3000.0] * 8]):
        measure(load, cluster, 60.0 * minute, n=cpu)
    window = load.over(900.0)
    # The first two of the seventeen samples are 16 and 15 minutes old.
    assert window.cpu_mean_millicores[row] == pytest.approx((7 * 1000 + 8 * 3000) / 15)
    assert window.cpu_deviation_millicores[row] == pytest.approx(np.std([1000] * 7 + [3000] * 8))
    assert load.over(180.0).cpu_mean_millicores[row] == pytest.approx((3000 + 1000 + 3000) / 3)
    # Of the means over five minutes, the first one is of the first sample alone.
    assert load.peaks.hour[0].highest[row] == 9000.0


def test_peaks_are_forgotten_after_their_span() -> None:
    cluster = cluster_of(node("n"))
    load = cluster.load
    row = cluster.row_of("n")
    assert row is not None
    for minute in range(0, 80, 5):
        measure(load, cluster, 60.0 * minute, n=4000.0 if minute == 0 else 1000.0)
    assert load.peaks.hour[0].highest[row] == 1000.0
    assert load.peaks.day[0].highest[row] == 4000.0


def test_a_row_that_outgrows_an_age_is_told_once() -> None:
    cluster = cluster_of(node("a"), node("b"))
    load = cluster.load
    rows = cluster.rows()
    load.advance(0.0)
    measure(load, cluster, 0.0, a=1.0, b=1.0)
    assert load.younger(rows, 180.0).all()
    measure(load, cluster, 100.0, b=1.0)
    seen = load.changes.position
    assert not load.advance(179.0)
    assert load.advance(180.0)
    told = load.changes.since(seen)
    assert told is not None
    assert told.tolist() == [cluster.row_of("a")]
    assert load.younger(rows, 180.0).tolist() == [row == cluster.row_of("b") for row in rows.tolist()]
    assert not load.advance(279.0)
    assert load.advance(280.0)
    assert not load.younger(rows, 180.0).any()
    measure(load, cluster, 281.0, a=1.0)
    assert load.younger(rows, 180.0).any()
    assert not load.advance(460.0)
    assert load.advance(461.0)


def test_placements_count_until_they_outgrow_an_age() -> None:
    scheduler, cluster = scheduler_of("a")
    rows = cluster.rows()
    bound = [pod(f"p{number}").requests(cpu="100m").on("a") for number in range(3)]
    scheduler.handle(events.PodSeen(bound[0].manifest()), 10.0)
    assert cluster.load.placed_within(rows, 60.0).tolist() == [1]
    scheduler.handle(events.PodSeen(bound[1].manifest()), 20.0)
    scheduler.handle(events.PodGone(bound[1].uid), 30.0)
    # It came, though it left again.
    assert cluster.load.placed_within(rows, 60.0).tolist() == [2]
    waiting = pod("waiting").requests(cpu="100m")
    scheduler.handle(events.PodSeen(waiting.manifest()), 40.0)
    assert isinstance(scheduler.schedule_next(40.0), Bind)
    assert cluster.load.placed_within(rows, 60.0).tolist() == [3]
    scheduler.handle(events.BindFailed(waiting.uid, "refused"), 41.0)
    assert cluster.load.placed_within(rows, 60.0).tolist() == [2]
    seen = cluster.load.changes.position
    scheduler.handle(events.NodeGone("nobody"), 70.0)
    assert cluster.load.changes.position > seen
    assert cluster.load.placed_within(rows, 60.0).tolist() == [1]


def test_a_pod_is_handed_over_to_the_sample_as_its_window_covers_it() -> None:
    scheduler, cluster = scheduler_of("a")
    rows = cluster.rows()
    load = cluster.load
    scheduler.handle(nodes_measured(("a", 90.0, 0.0, 0.0)), 95.0)
    new = pod("new").requests(cpu="1", memory="1Gi").on("a")
    scheduler.handle(events.PodSeen(new.manifest()), 100.0)
    whole = load.expected_of(pod_class_of(cluster, new).owner, pod_class_of(cluster, new).requirements)
    assert load.assumed(rows)[:, 0].tolist() == pytest.approx(whole)
    scheduler.handle(nodes_measured(("a", 120.0, 100.0, 0.0)), 125.0)
    # A third of the window has seen it.
    assert load.assumed(rows)[0, 0] == pytest.approx(whole[0] * 2 / 3)
    scheduler.handle(nodes_measured(("a", 160.0, 300.0, 0.0)), 165.0)
    assert load.assumed(rows)[0, 0] == 0.0
    assert not load.pods.unmeasured
    scheduler.handle(pods_measured((new.uid, 160.0, 300.0, 1e9)), 165.0)
    scheduler.handle(events.PodGone(new.uid), 170.0)
    # All of the last sample's window has it.
    assert load.assumed(rows)[:, 0].tolist() == pytest.approx([-300.0, -1e9])
    scheduler.handle(nodes_measured(("a", 200.0, 150.0, 0.0)), 205.0)
    assert load.assumed(rows)[0, 0] == pytest.approx(-150.0)
    scheduler.handle(nodes_measured(("a", 230.0, 0.0, 0.0)), 235.0)
    assert load.assumed(rows)[0, 0] == 0.0
    assert not load.pods.departed


def test_a_placement_that_is_taken_back_leaves_nothing() -> None:
    scheduler, cluster = scheduler_of("a")
    waiting = pod("waiting").requests(cpu="1")
    scheduler.handle(events.PodSeen(waiting.manifest()), 10.0)
    assert isinstance(scheduler.schedule_next(10.0), Bind)
    assert cluster.load.assumed(cluster.rows())[0, 0] > 0.0
    scheduler.handle(events.BindFailed(waiting.uid, "refused"), 11.0)
    assert cluster.load.assumed(cluster.rows()).tolist() == [[0.0], [0.0]]
    assert len(cluster.load.pods) == 0
    assert not cluster.load.pods.departed


def test_a_pod_that_changes_its_labels_stays_in_the_ledger_as_long_as_before() -> None:
    scheduler, cluster = scheduler_of("a")
    bound = pod("p").requests(cpu="1").on("a")
    scheduler.handle(events.PodSeen(bound.manifest()), 10.0)
    scheduler.handle(events.PodSeen(bound.labels(app="web").manifest()), 50.0)
    placed = cluster.load.pods.get(bound.uid)
    assert placed is not None
    assert placed.since == 10.0
    assert placed.pod.identity.labels == {"app": "web"}
    assert placed.pod.owner == pod_class_of(cluster, bound).owner
    assert cluster.load.owners.number_of(placed.pod.owner) == placed.owner


def test_samples_of_pods_teach_owners_once_the_window_holds_nothing_else() -> None:
    scheduler, cluster = scheduler_of("a")
    bound = pod("p").requests(cpu="1", memory="1Gi").on("a")
    scheduler.handle(events.PodSeen(bound.manifest()), 10.0)
    owner = pod_class_of(cluster, bound).owner
    owners = cluster.load.owners
    scheduler.handle(pods_measured((bound.uid, 40.0, 250.0, NAN), ("unknown", 40.0, 1.0, 1.0)), 41.0)
    assert owners.observations_of(owner) == 0.0
    placed = cluster.load.pods.get(bound.uid)
    assert placed is not None
    assert cluster.load.pods.expected(placed)[0] == 250.0
    scheduler.handle(pods_measured((bound.uid, 70.0, 300.0, 2.0**29)), 71.0)
    version = owners.version
    # It says the same for an hour to come.
    assert owners.observations_of(owner) == pytest.approx(30.0 / 3600.0)
    for sample in ((bound.uid, 70.0, 900.0, 1.0), (bound.uid, 60.0, 900.0, 1.0), (bound.uid, 99.0, NAN, NAN)):
        scheduler.handle(pods_measured(sample), 100.0)
    assert owners.version == version
    assert cluster.load.pods.expected(placed) == (300.0, 2.0**29)


def test_a_pod_that_has_been_seen_for_long_is_expected_to_use_what_it_has_used() -> None:
    scheduler, cluster = scheduler_of("a", "b")
    greedy, modest = (pod(name).requests(cpu="1").owned_by("StatefulSet", "db") for name in ("greedy", "modest"))
    scheduler.handle(events.PodSeen(greedy.on("a").manifest()), 0.0)
    scheduler.handle(events.PodSeen(modest.on("b").manifest()), 0.0)
    for hour in range(1, 40):
        at = 3600.0 * hour
        scheduler.handle(pods_measured((greedy.uid, at, 900.0, NAN), (modest.uid, at, 100.0, NAN)), at)
    expected = {name: float(cluster.load.expected.mean(np.array([cluster.row_of(name)]))[0, 0]) for name in ("a", "b")}
    assert 840.0 < expected["a"] < 900.0
    assert 100.0 < expected["b"] < 160.0
    # A new pod of theirs may be like either.
    new = pod("new").requests(cpu="1").owned_by("StatefulSet", "db")
    assert 450.0 < cluster.load.expected_of(pod_class_of(cluster, new).owner, requirements_of(cluster, new))[0] < 550.0


def test_a_node_without_samples_is_taken_to_be_as_busy_as_the_others_are_now() -> None:
    scheduler, cluster = scheduler_of("measured", "not", "empty")
    for name in ("measured", "not"):
        scheduler.handle(events.PodSeen(pod(name).requests(cpu="1", memory="1Gi").on(name).manifest()), 0.0)
    load = cluster.load
    rows = np.array([cluster.row_of(name) for name in ("measured", "not", "empty")], dtype=np.intp)
    mean = load.expected.mean(rows)
    np.testing.assert_allclose(load.stand_in(rows), mean)
    seen = load.changes.position
    scheduler.handle(nodes_measured(("measured", 60.0, 3 * mean[0, 0], NAN), ("empty", 60.0, 0.0, 0.0)), 61.0)
    told = load.changes.since(seen)
    assert told is not None
    # The other node is judged otherwise, too, though nothing is told of it.
    assert set(told.tolist()) == set(rows.tolist())
    np.testing.assert_allclose(load.stand_in(rows), mean * np.array([[3.0], [1.0]]))
    scheduler.handle(nodes_measured(("empty", 400.0, 0.0, 0.0)), 401.0)
    # Nothing fresh is told of nodes with pods.
    np.testing.assert_allclose(load.stand_in(rows), mean)


# The ledger against a recount

_Step = tuple[str, int, int, float]
_steps = st.lists(
    st.tuples(
        st.sampled_from(["assume", "bind", "fail", "see", "move", "relabel", "gone", "sample", "measure", "lose"]),
        st.integers(0, 5),
        st.integers(0, 2),
        st.sampled_from([0.0, 1.0, 7.0, 20.0, 45.0]),
    ),
    max_size=60,
)


class _Recount:
    """Every placement there ever was, as plain lists."""

    def __init__(self) -> None:
        self.placements: list[dict[str, Any]] = []
        self.sampled_at = [-np.inf] * 3

    def place(self, number: int, where: int, now: float, *, bound: bool) -> None:
        self.placements.append(
            {"pod": number, "node": where, "since": now, "left": np.inf, "bound": bound, "use": None}
        )

    def end(self, number: int, now: float, use: float) -> None:
        for placement in list(self.placements):
            if placement["pod"] == number and placement["left"] == np.inf:
                if placement["bound"]:
                    placement.update(left=now, use=use)
                else:
                    self.placements.remove(placement)

    def assumed(self, where: int, use: dict[int, float]) -> float:
        sampled_at, total = self.sampled_at[where], 0.0
        for placement in self.placements:
            if placement["node"] == where:
                begin, end = max(placement["since"], sampled_at - WINDOW), min(placement["left"], sampled_at)
                inside = min(1.0, max(0.0, end - begin) / WINDOW) if np.isfinite(sampled_at) else 0.0
                if placement["left"] == np.inf:
                    total += (1.0 - inside) * use[placement["pod"]]
                else:
                    total -= inside * placement["use"]
        return total


@settings(deadline=None, max_examples=200)
@given(steps=_steps)
def test_whatever_happened_the_assumed_load_is_what_a_recount_gives(steps: list[_Step]) -> None:
    cluster = cluster_of(*(node(f"n{number}") for number in range(3)))
    load, ledger, recount, now = cluster.load, Reservations(cluster), _Recount(), 1000.0
    pods = [pod(f"p{number}").requests(cpu=f"{number + 1}", memory="1Gi").labels(app="a") for number in range(6)]
    where: dict[int, int] = {}
    for kind, number, target, wait in steps:
        now += wait
        load.advance(now)
        uid, standing, name = pods[number].uid, Standing("default", f"p{number}"), f"n{target}"
        placed = load.pods.get(uid)
        use = load.pods.expected(placed)[0] if placed is not None else 0.0
        match kind:
            case "assume" if number not in where:
                ledger.assume(PodReference("default", f"p{number}", uid), name, pod_class_of(cluster, pods[number]))
                recount.place(number, target, now, bound=False)
                where[number] = target
            case "bind" if number in where:
                ledger.settle(uid)
                next(p for p in reversed(recount.placements) if p["pod"] == number)["bound"] = True
            case "fail" | "gone":
                recount.end(number, now, use)
                ledger.forget(uid)
                where.pop(number, None)
            case "see" | "move":
                here = where.get(number, target) if kind == "see" else target
                ledger.confirm(uid, f"n{here}", pod_class_of(cluster, pods[number]), standing)
                if where.get(number) != here:
                    recount.end(number, now, use)
                    recount.place(number, here, now, bound=True)
                next(p for p in reversed(recount.placements) if p["pod"] == number)["bound"] = True
                where[number] = here
            case "relabel" if number in where:
                pods[number].labels(app="b" if target else "a")
                ledger.confirm(uid, f"n{where[number]}", pod_class_of(cluster, pods[number]), standing)
                next(p for p in reversed(recount.placements) if p["pod"] == number)["bound"] = True
            case "sample":
                measure(load, cluster, now - 5.0, **{name: 100.0})
                recount.sampled_at[target] = max(recount.sampled_at[target], now - 5.0)
            case "measure":
                load.measure_pods([uid], np.array([now - 5.0]), np.array([50.0 * number + wait]), np.array([NAN]))
            case "lose":
                cluster.remove_node(name)
                cluster.set_node(node(name).manifest())
                recount.sampled_at[target] = -np.inf
                recount.placements = [p for p in recount.placements if p["node"] != target or p["left"] == np.inf]
        placed_pods = {number: load.pods.get(pods[number].uid) for number in where}
        uses = {number: load.pods.expected(placed)[0] for number, placed in placed_pods.items() if placed is not None}
        rows = np.array([cluster.row_of(f"n{target}") for target in range(3)], dtype=np.intp)
        expected = [recount.assumed(target, uses) for target in range(3)]
        np.testing.assert_allclose(load.assumed(rows)[0], expected, atol=1e-9)
        assert len(load.pods) == len(where)
        for row in rows.tolist():
            begins = load.sampled_at[row] - WINDOW
            uncovered = {uid for uid, placed in load.pods.on(row).items() if placed.since > begins}
            assert load.pods.unmeasured.get(row, {}).keys() == uncovered
            assert all(gone.left > begins for gone in load.pods.departed.get(row, ()))
        # What pods are expected to use is the sum over the pods there are.
        sums = [sum(_mean(load, uid) for uid in load.pods.on(row)) for row in rows.tolist()]
        np.testing.assert_allclose(load.expected.mean(rows)[0], sums)


def _mean(load: MeasuredLoad, uid: str) -> float:
    placed = load.pods.get(uid)
    assert placed is not None
    return float(load.pods.means(np.array([placed.slot]), load.settings.history.pod_counts_from)[0, 0])


def test_those_who_left_without_a_sample_since_are_forgotten_in_time() -> None:
    cluster = cluster_of(node("a"))
    ledger, load = Reservations(cluster), cluster.load
    for number in range(100):
        load.advance(100.0 * number)
        one = pod(f"p{number}").requests(cpu="1")
        ledger.confirm(one.uid, "a", pod_class_of(cluster, one), Standing("default", one.uid))
        ledger.forget(one.uid)
    assert len(load.pods.departed[int(cluster.rows()[0])]) <= LATEST_SAMPLE_SECONDS / 100.0 + 1
