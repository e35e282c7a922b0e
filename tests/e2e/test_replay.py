"""The real kube-scheduler held against the simulation, pod by pod."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.replaying import core
from hydatis.sandbox.replaying.comparing import Agreement, Reason
from hydatis.sandbox.replaying.history import History
from hydatis.sandbox.replaying.playing import COMPONENTS, Played, play
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.profile import Profile
from hydatis.simulations.clusters import NodeShape
from hydatis.simulations.virtual_time.scenario import NodeGroup
from hydatis.simulations.virtual_time.testing import Pod, default_policy, scenario_of, workload_of
from hydatis.simulations.virtual_time.workload import Workload

REPLAY = [sys.executable, "-m", "hydatis.operator", "sandbox", "replay"]
_SECONDS = 300
_LARGE = 120
"""Nodes: more than the hundred below which kube-scheduler looks at all."""


@pytest.fixture
def play_on_a_new_cluster(tmp_path: Path) -> Iterator[Callable[[History], Played]]:
    with ControlPlane.start(tmp_path / "control-plane", COMPONENTS) as control_plane:
        yield lambda history: play(history, 1, control_plane)


def test_the_command_finds_the_decisions_and_scores_the_same_while_pods_wait_and_go(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HYDATIS_DATA"}
    folder = tmp_path / "tmp"
    folder.mkdir()
    arguments = ["--scenario", "six-overloaded", "--pods", "110", "--json", str(tmp_path / "replay.json")]
    ended = subprocess.run(
        [*REPLAY, *arguments],
        env={**environment, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    document = json.loads((tmp_path / "replay.json").read_text())
    decisions, scores = document["decisions"], document["scores"]
    assert decisions["different"] == 0
    assert decisions["same_node"] >= 30
    # More than once for those that a pod's end brought back in vain.
    assert decisions["same_refusal"] > document["outcomes"]["refused"]["kube_scheduler"] > 10
    assert document["steps"]["created"] == 110
    assert document["steps"]["deleted"] > 0
    assert scores["compared"] > 500
    assert scores["different"] == 0
    assert set(document["reasons"]) <= {Reason.TIE.value}
    assert len(document["differences"]) == decisions["same_score"]
    assert document["outcomes"]["bound"]["simulation"]["low"] > 0
    assert "unschedulable for both" in ended.stdout
    assert list(folder.iterdir()) == []


def test_a_plugin_that_the_simulation_lacks_is_named(
    play_on_a_new_cluster: Callable[[History], Played], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_one(policy: str, workload: Workload, seed: int) -> Profile:
        profile = default_policy()
        kept = tuple(entry for entry in profile.scores if not isinstance(entry, NodeResourcesBalancedAllocation))
        assert len(kept) == len(profile.scores) - 1
        return replace(profile, scores=kept)

    monkeypatch.setattr(core, "profile_of", without_one)
    # The first pod's CPU and memory are out of balance, so the second one's nodes differ in this.
    history = History(scenario_of(8, 8, 16), workload_of(Pod(cpu=4000, memory=100), Pod(cpu=1000, memory=100)), 2)
    played = play_on_a_new_cluster(history)
    found = [decision.comparison for decision in played.decisions]
    assert {comparison.reason for comparison in found} == {Reason.SCORE}
    details = [detail for comparison in found for detail in comparison.details]
    assert {detail.partition(" on ")[0] for detail in details} == {"NodeResourcesBalancedAllocation"}


def test_where_kube_scheduler_looks_at_a_sample_this_is_the_reason(
    play_on_a_new_cluster: Callable[[History], Played],
) -> None:
    # One node is so much larger than all others that it is the best for each of these pods. kube-scheduler begins where
    # it left off, 100 nodes further each time, so that about one sample in six misses it.
    group = NodeGroup(NodeShape("worker-8", 8, 32), _LARGE - 1)
    scenario = replace(scenario_of(8), nodes=(group, NodeGroup(NodeShape("worker-512", 512, 2048), 1)))
    pods = [Pod(cpu=100) for _ in range(20)]
    played = play_on_a_new_cluster(History(scenario, workload_of(*pods), len(pods)))
    found = [decision.comparison for decision in played.decisions]
    assert {comparison.reason for comparison in found} <= {None, Reason.TIE, Reason.SAMPLING}
    sampled = [comparison for comparison in found if comparison.reason is Reason.SAMPLING]
    assert all(comparison.agreement is Agreement.DIFFERENT for comparison in sampled)
    assert sampled, "20 samples of 100 among 120 nodes all held the best one"
    assert "100 of 120 nodes looked at" in sampled[0].details[0]
