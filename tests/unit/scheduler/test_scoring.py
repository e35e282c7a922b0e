"""Scores kept up to date row by row are the scores computed from nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler.cluster import Cluster
from hydatis.scheduler.evaluating import Evaluations
from hydatis.scheduler.nominations import Nominations
from hydatis.scheduler.normalizing import normalize, normalize_one
from hydatis.scheduler.plugins import Normalization
from hydatis.scheduler.pod_class import PodClass
from hydatis.scheduler.policy import BUILT_IN_POLICY
from hydatis.scheduler.prefiltering import SearchSpace
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scoring import INFEASIBLE, Evaluation
from hydatis.scheduler.selecting import select
from hydatis.scheduler.testing import expression, node, place, pod, pod_class_of

_PROFILE = Profile()
_ALL_NODES = SearchSpace(None)
_NODES = 12


def _evaluation(cluster: Cluster, pod_class: PodClass) -> Evaluation:
    neighbours = pod_class.neighbours(cluster.placed, cluster.workloads)
    evaluation = Evaluation(pod_class.requirements, neighbours, _PROFILE.under(BUILT_IN_POLICY), cluster)
    evaluation.refresh()
    return evaluation


_APP_DB = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
_KEEPS_DB_AWAY = {
    "requiredDuringSchedulingIgnoredDuringExecution": [_APP_DB],
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 5, "podAffinityTerm": {**_APP_DB, "topologyKey": "zone"}}
    ],
}
_SPREAD_BOTH_WAYS = [
    {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": when, "labelSelector": {"matchLabels": {"app": "web"}}}
    for when in ("DoNotSchedule", "ScheduleAnyway")
]

_Step = tuple[str, int, int]
_steps = st.lists(
    st.tuples(
        st.sampled_from(["place", "remove", "node", "taint", "cordon", "label", "delete"]),
        st.integers(0, _NODES - 1),
        st.integers(0, 3),
    ),
    max_size=60,
)


def _apply(cluster: Cluster, placed: list[tuple[str, str]], step: _Step, serial: int) -> None:
    kind, number, variant = step
    name = f"n{number}"
    match kind:
        case "place":
            builder = (
                pod(f"p{serial}").requests(cpu=f"{variant}500m", memory="1Gi").labels(app="web" if variant else "db")
            )
            if variant == 2:
                builder.set_spec(affinity={"podAntiAffinity": _KEEPS_DB_AWAY})
            place(cluster, builder.host_port(80) if variant == 3 else builder, name)
            placed.append((builder.uid, name))
        case "remove" if placed:
            cluster.remove(*placed.pop(number % len(placed)))
        case "node":
            cluster.set_node(node(name).allocatable(cpu=str(2 + variant)).manifest())
        case "taint":
            effect = ("NoSchedule", "PreferNoSchedule", "NoExecute", "PreferNoSchedule")[variant]
            cluster.set_node(node(name).taint(f"t{variant}", effect=effect).manifest())
        case "cordon":
            cluster.set_node(node(name).unschedulable(variant % 2 == 0).manifest())
        case "label":
            cluster.set_node(node(name).label("zone", str(variant)).manifest())
        case "delete":
            cluster.remove_node(name)


@settings(deadline=None, max_examples=150)
@given(steps=_steps)
def test_refreshing_gives_what_starting_over_gives(steps: list[_Step]) -> None:
    cluster = Cluster()
    for number in range(_NODES):
        cluster.set_node(node(f"n{number}").manifest())
    zone = {"matchExpressions": [expression("zone", "In", "1", "2")]}
    classes = [
        pod_class_of(cluster, builder)
        for builder in (
            pod().requests(cpu="1", memory="2Gi"),
            pod().host_port(80),
            pod().requests(cpu="100m").preferred_node_affinity((7, zone)),
            pod().toleration("t1").node_selector(zone="1"),
            pod().labels(app="db").set_spec(affinity={"podAntiAffinity": _KEEPS_DB_AWAY}),
            pod().labels(app="web").set_spec(topologySpreadConstraints=_SPREAD_BOTH_WAYS),
        )
    ]
    kept = Evaluations(cluster, Nominations(cluster), _PROFILE, memory_bytes=2**20)
    placed: list[tuple[str, str]] = []
    for serial, step in enumerate(steps):
        _apply(cluster, placed, step, serial)
        for number, pod_class in enumerate(classes):
            # Only now and then, so that several changes, also of one row, are caught up with at once.
            if (serial + number) % 3 == 0:
                kept.of(pod_class, BUILT_IN_POLICY, _ALL_NODES)
    for pod_class in classes:
        evaluation = kept.of(pod_class, BUILT_IN_POLICY, _ALL_NODES)
        anew = _evaluation(cluster, pod_class)
        np.testing.assert_array_equal(evaluation.ranking(), anew.ranking())
        np.testing.assert_array_equal(evaluation.feasible, anew.feasible)
    for name, totals in cluster.recounted():
        row = cluster.row_of(name)
        if row is not None:
            requested = {cluster.columns.name(i): a for i, a in enumerate(cluster.requested[:, row].tolist()) if a}
            assert requested == totals


def test_a_table_that_grows_keeps_every_row() -> None:
    cluster = Cluster()
    pod_class = pod_class_of(cluster, pod().requests(cpu="1"))
    for number in range(50):
        cluster.set_node(node(f"n{number}").label("zone", str(number % 3)).manifest())
    evaluation = _evaluation(cluster, pod_class)
    place(cluster, pod("big").requests(cpu="4"), "n7")
    for number in range(50, 500):
        cluster.set_node(node(f"n{number}").label("zone", str(number % 3)).manifest())
    evaluation.refresh()
    assert np.count_nonzero(evaluation.feasible) == 499
    np.testing.assert_array_equal(evaluation.ranking(), _evaluation(cluster, pod_class).ranking())


def test_taint_sets_that_keep_changing_do_not_pile_up() -> None:
    cluster = Cluster()
    for number in range(1000):
        cluster.set_node(node("n").taint("stamp", str(number)).manifest())
        cluster.set_node(node("steady").taint("gpu").manifest())
    assert len(cluster.taint_sets) <= 2 * cluster.capacity + 2
    row = cluster.row_of("n")
    assert row is not None
    assert cluster.taint_sets[cluster.taint_set[row]][0].value == "999"


@pytest.mark.parametrize(
    ("raw", "normalization", "expected"),
    [
        ([0, 0], Normalization.HIGHEST_IS_BEST, [0, 0]),
        ([0, 0], Normalization.LOWEST_IS_BEST, [100, 100]),
        ([1, 3], Normalization.HIGHEST_IS_BEST, [33, 100]),
        ([1, 3], Normalization.LOWEST_IS_BEST, [67, 0]),
        ([40, 90], Normalization.NONE, [40, 90]),
    ],
)
def test_normalising_scales_to_the_highest_and_rounds_down(
    raw: list[int], normalization: Normalization, expected: list[int]
) -> None:
    assert normalize(np.array(raw), max(raw), normalization).tolist() == expected
    assert [normalize_one(one, max(raw), normalization) for one in raw] == expected


def test_a_normalised_score_is_relative_to_the_feasible_nodes_alone() -> None:
    cluster = Cluster()
    cluster.set_node(node("full").label("zone", "1").label("ssd", "yes").allocatable(cpu="0").manifest())
    cluster.set_node(node("zone").label("zone", "1").manifest())
    cluster.set_node(node("none").manifest())
    terms = [(10, {"matchExpressions": [expression(key, "Exists")]}) for key in ("zone", "ssd")]
    evaluation = _evaluation(cluster, pod_class_of(cluster, pod().requests(cpu="1").preferred_node_affinity(*terms)))
    row = cluster.row_of("zone")
    assert row is not None
    # Among the feasible nodes 10 is the highest; the full node's 20 does not count.
    assert dict(evaluation.node_score(row).parts)["NodeAffinity"] == 200


def test_selecting_takes_the_best_and_names_the_next() -> None:
    random = np.random.default_rng(0)
    selection = select(np.array([3, INFEASIBLE, 9, 7]), random)
    assert selection is not None
    assert (selection.row, selection.runner_up) == (2, 3)
    assert select(np.array([INFEASIBLE, INFEASIBLE]), random) is None
    alone = select(np.array([INFEASIBLE, 0]), random)
    assert alone is not None
    assert (alone.row, alone.runner_up) == (1, None)
    tied = select(np.array([5, 5]), random)
    assert tied is not None
    assert {tied.row, tied.runner_up} == {0, 1}
