"""The environment keeps Gymnasium's contract and drives the engine as the core itself would."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hydatis.simulations.errors import SimulationError
from hydatis.simulations.measures.catalogue import BY_NAME
from hydatis.simulations.traces.folder import DATA_VARIABLE

gymnasium = pytest.importorskip("gymnasium")
placement = pytest.importorskip("hydatis.simulations.environment.placement")

NAME = "hydatis.simulations.environment:Hydatis/Placement-v0"
NEEDS_TRAINING = "Stable-Baselines3 is installed by `make training`"
HOURS = {"length_seconds": "7200", "warm_up_seconds": "600"}


@pytest.fixture(autouse=True)
def _made_up_workloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


@pytest.fixture
def env() -> Iterator[Any]:
    with gymnasium.make(NAME, assumptions=HOURS).unwrapped as made:
        yield made


def by_node(observation: dict[str, Any]) -> Any:
    """(nodes, features)"""
    return placement.rows_of(observation["nodes"])


def column(name: str) -> int:
    """Where a column stands in a row."""
    return [each.name for each in placement.COLUMNS].index(name)


def play(env: Any, seed: int) -> tuple[list[float], dict[str, Any]]:
    """Play an episode, at each decision with the last feasible node; return rewards and the last info."""
    _, info = env.reset(seed=seed)
    rewards = []
    while True:
        action = int(np.flatnonzero(info["action_mask"])[-1])
        observation, reward, terminated, truncated, info = env.step(action)
        assert env.observation_space.contains(observation)
        assert not terminated
        rewards.append(reward)
        if truncated:
            return rewards, info


def test_gymnasiums_own_checker_has_nothing_to_say(env: Any) -> None:
    from gymnasium.utils.env_checker import check_env  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env)


def test_stable_baselines3s_checker_has_nothing_to_say(env: Any) -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker", reason=NEEDS_TRAINING)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(env)


def test_stable_baselines3_steps_several_at_once() -> None:
    vectorised = pytest.importorskip("stable_baselines3.common.vec_env", reason=NEEDS_TRAINING)
    many = vectorised.DummyVecEnv([lambda: gymnasium.make(NAME, assumptions=HOURS)] * 2)
    many.seed(1)
    observation = many.reset()
    assert observation["nodes"].shape == (2, 6 * len(placement.COLUMNS))
    for _ in range(5):
        masks = np.array(many.env_method("action_masks"))
        observation, rewards, dones, infos = many.step(masks.argmax(axis=1))
        assert np.isfinite(rewards).all()
        assert not dones.any()
        assert all(info["terms"]["infeasible"] == 0 for info in infos)
    # The two were given seeds of their own, so they are not one episode played twice.
    assert (observation["nodes"][0] != observation["nodes"][1]).any()
    many.close()


def test_an_episode_ends_with_the_scenarios_time_and_has_every_measure(env: Any) -> None:
    rewards, info = play(env, seed=3)
    assert len(rewards) > 10
    assert info["measures"].keys() == BY_NAME.keys()
    assert info["action_mask"].all()
    with pytest.raises(RuntimeError, match=r"begin an episode with reset"):
        env.step(0)


def test_the_same_seed_and_actions_give_the_same_episode_and_another_seed_another(env: Any) -> None:
    first, _ = play(env, seed=3)
    assert play(env, seed=3)[0] == first
    assert play(env, seed=4)[0] != first


def test_a_workload_can_be_asked_for(env: Any) -> None:
    first, info = env.reset(seed=1, options={"workload_seed": 7})
    again, other = env.reset(seed=2, options={"workload_seed": 7})
    assert info["workload_seed"] == other["workload_seed"] == 7
    assert all((first[part] == again[part]).all() for part in first)


def test_the_mask_tells_where_the_pod_can_go(env: Any) -> None:
    observation, info = env.reset(seed=1)
    names = env.scenario.nodes
    assert [group.count for group in names] == [3, 3]
    # The control plane has a taint.
    assert info["action_mask"].tolist() == [False] * 3 + [True] * 3
    assert (env.action_masks() == info["action_mask"]).all()
    assert (by_node(observation)[:, column("feasible")] == info["action_mask"]).all()
    assert (by_node(observation)[:, column("known")] == 1).all()


def test_a_node_that_cannot_be_chosen_costs_and_the_pod_goes_elsewhere(env: Any) -> None:
    env.reset(seed=1)
    _, reward, _, _, info = env.step(0)
    assert info["terms"]["infeasible"] == -env.weights.infeasible
    assert reward == pytest.approx(sum(info["terms"].values()))
    requested = column("cpu_requested")
    observation = env.unwrapped._observation()
    assert by_node(observation)[3, requested] > 0
    assert (by_node(observation)[[0, 1, 2, 4, 5], requested] == 0).all()


def test_overload_is_told_by_node_and_time_by_decision() -> None:
    env = gymnasium.make(NAME, assumptions={**HOURS, "cpu_use_percent": "120"}).unwrapped
    env.reset(seed=3)
    hours, seconds, loaded = [], 0.0, False
    while True:
        # All on one node, which cannot serve them.
        action = int(np.flatnonzero(env.action_masks())[0])
        observation, _, _, over, info = env.step(action)
        assert info["overload"].sum() == pytest.approx(-info["terms"]["efficiency"])
        assert (info["overload"][:3] == 0).all()
        loaded = loaded or bool(info["overload"][3] > 0)
        hours.append(float(observation["hours"][0]))
        if over:
            break
        seconds = info["seconds"]
        assert sum(hours) == pytest.approx(seconds / 3600, abs=1e-5)
    assert loaded
    assert min(hours) == 0
    assert not observation["nodes"].any()


def test_environments_run_side_by_side() -> None:
    many = gymnasium.make_vec(NAME, num_envs=2, vectorization_mode="sync", assumptions=HOURS)
    observation, infos = many.reset(seed=1)
    assert observation["nodes"].shape == (2, 6 * len(placement.COLUMNS))
    assert infos["action_mask"].shape == (2, 6)
    for _ in range(5):
        _, rewards, *_ = many.step(np.array([3, 4]))
        assert rewards.shape == (2,)
    many.close()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"scenario": "seven"}, "the scenario seven is unknown"),
        ({"assumptions": {"lod": "1"}}, "lod is no assumption"),
        ({"part": "test"}, "part=test is unknown"),
    ],
)
def test_a_wrong_argument_is_told(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(SimulationError, match=problem):
        gymnasium.make(NAME, **arguments)
