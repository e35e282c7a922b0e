from hydatis.sandbox.replaying.as_kube_scheduler import simulate_as_kube_scheduler
from hydatis.sandbox.replaying.history import History
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of


def test_of_equal_nodes_the_first_is_taken_whatever_the_seed() -> None:
    history = History(scenario_of(8, 8, 8), workload_of(Pod(), Pod(), Pod()), 3)
    for seed in range(5):
        assert simulate_as_kube_scheduler(history, seed).placements == {0: 0, 1: 1, 2: 2}


def test_all_that_wait_are_tried_again_in_the_order_in_which_they_came() -> None:
    # One core is free beside the first pod. When it goes, the first and the third of those that wait fit together.
    pods = (
        Pod(0.0, lifetime=10.0, cpu=2900),
        Pod(1.0, cpu=2000),
        Pod(2.0, cpu=3000),
        Pod(3.0, cpu=1500),
        Pod(20.0, cpu=100),
    )
    fill = simulate_as_kube_scheduler(History(scenario_of(4), workload_of(*pods), 5), 1)
    assert sorted(fill.placements) == [1, 3, 4]
    assert fill.waiting == {2}


def test_a_pod_that_goes_while_it_waits_brings_nobody_back() -> None:
    pods = (Pod(0.0, cpu=3000), Pod(1.0, lifetime=1.0, cpu=3000), Pod(5.0, cpu=3000))
    outcome = simulate_as_kube_scheduler(History(scenario_of(4), workload_of(*pods), 3), 1).outcome()
    assert (outcome.bound, outcome.refused, outcome.waiting) == (1, 2, 1)
