from collections.abc import Callable
from dataclasses import replace

import pytest

from hydatis.sandbox.replaying.errors import ReplayError
from hydatis.sandbox.replaying.history import History, check_scenario
from hydatis.simulations.virtual_time.catalogue import scenario_named
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of

PODS = (
    Pod(0.0, lifetime=5.0),
    Pod(0.0, lifetime=20.0),
    Pod(5.0, lifetime=5.0),
    Pod(10.0, lifetime=1.0),
    Pod(12.0, lifetime=1.0),
)


def steps(history: History) -> list[str]:
    return [f"{'+' if step.comes else '-'}{step.pod}" for step in history.steps]


def test_pods_come_in_order_and_go_at_their_place_before_those_that_come_at_the_same_time() -> None:
    history = History(scenario_of(4), workload_of(*PODS), 10)
    # Pod 1 and pod 4 end after the last pod has come.
    assert steps(history) == ["+0", "+1", "-0", "+2", "-2", "+3", "-3", "+4"]


def test_what_ends_after_the_last_pod_of_the_cut_is_left_out() -> None:
    history = History(scenario_of(4), workload_of(*PODS), 3)
    assert steps(history) == ["+0", "+1", "-0", "+2"]
    assert history.pods == range(3)
    assert history.pod_of("default/owner-2-2") == 2
    assert history.pod_of("default/owner-3-3") is None


def test_names_are_those_of_a_run_and_lead_back_to_the_pod() -> None:
    history = History(scenario_of(4), workload_of(Pod(owner="web"), Pod(owner="web")), 2)
    assert [history.key(pod) for pod in history.pods] == ["default/web-0", "default/web-1"]
    manifest = history.manifest(1, "node-4-0000")
    assert (manifest["metadata"]["uid"], manifest["spec"]["nodeName"]) == ("web-1", "node-4-0000")
    assert history.pod_of("default/web-1") == 1


def with_gpus(scenario: Scenario) -> Scenario:
    return replace(scenario, demand=replace(scenario.demand, with_gpus=True))


@pytest.mark.parametrize(
    ("scenario", "remedy"),
    [
        (lambda: scenario_named("six-faults"), "leave -faults out of the name"),
        (lambda: with_gpus(scenario_named("six")), "choose six, study or day"),
    ],
)
def test_what_a_plain_cluster_has_not_is_refused(scenario: Callable[[], Scenario], remedy: str) -> None:
    with pytest.raises(ReplayError, match=remedy):
        check_scenario(scenario())
