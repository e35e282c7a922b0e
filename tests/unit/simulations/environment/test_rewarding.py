import math

import pytest

from hydatis.simulations.measures.prices import Prices
from hydatis.simulations.virtual_time.running import Run
from hydatis.simulations.virtual_time.scenario import Scenario
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of

pytest.importorskip("gymnasium")
rewarding = pytest.importorskip("hydatis.simulations.environment.rewarding")

ONE_EACH = rewarding.RewardWeights(efficiency=1, availability=1, given_up=1, cost=1)


def costs_of(scenario: Scenario, *pods: Pod) -> dict[str, float]:
    """Play a run with the default policy and add its costs up."""
    run = Run(scenario, workload_of(*pods), default_policy(), 1)
    meter = rewarding.CostMeter(run, ONE_EACH, Prices(core_hour_usd=1, gib_hour_usd=0))
    total = dict.fromkeys(("efficiency", "availability", "cost"), 0.0)
    run.begin()
    for now in run.turns():
        add(total, meter.passed(now))
        while (instruction := run.scheduler.schedule_next(now)) is not None:
            run.carry_out(instruction, now)
        meter.note()
    add(total, meter.passed(scenario.length_seconds))
    return total


def add(total: dict[str, float], costs: dict[str, float]) -> None:
    for name, amount in costs.items():
        total[name] += amount


def test_overload_waiting_and_used_nodes_cost_by_the_hour() -> None:
    # 3.9 of 4 cores are allocatable. The second pod waits for the first; from then on one of them runs all the time.
    pods = [Pod(cpu=3000, lifetime=1800, cpu_percent=(100,)) for _ in range(2)]
    total = costs_of(scenario_of(4), *pods)
    assert total["efficiency"] == pytest.approx((3000 / 3900 - 0.65) ** 2)
    assert total["availability"] == pytest.approx(0.5)
    assert total["cost"] == pytest.approx(3.9)


def test_a_node_at_the_target_is_not_overloaded_and_an_empty_one_costs_nothing() -> None:
    total = costs_of(scenario_of(4, 8), Pod(cpu=2500, lifetime=1800, cpu_percent=(100,)))
    assert total["efficiency"] == 0
    assert total["availability"] == 0
    assert any(total["cost"] == pytest.approx(half) for half in (3.9 / 2, 7.9 / 2))


def test_a_pod_that_is_given_up_costs_once_more() -> None:
    total = costs_of(scenario_of(4), Pod(cpu=9000, patience=900))
    assert total["availability"] == pytest.approx(0.25 + 1)
    assert not math.isnan(total["efficiency"])
