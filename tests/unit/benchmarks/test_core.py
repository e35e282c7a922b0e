"""The benchmark of the core alone, on a scene that takes a second."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from hydatis.benchmarks.commands import bench
from hydatis.benchmarks.core.plugin_clock import PluginClock
from hydatis.benchmarks.core.scene import NOW, Scene, build
from hydatis.benchmarks.core.shapes import SHAPES
from hydatis.benchmarks.core.timing import CORE, measure
from hydatis.benchmarks.core.victims import Victims
from hydatis.scheduler.events import Event, PodSeen
from hydatis.scheduler.instructions import Bind, ReportUnschedulable
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.scheduler import Scheduler

app = typer.Typer(pretty_exceptions_enable=False)
app.add_typer(bench, name="bench")
PLUGINS = {
    "node affinity": "NodeAffinity",
    "host port": "NodePorts",
    "required affinity": "InterPodAffinity",
    "preferred affinity": "InterPodAffinity",
    "required anti-affinity": "InterPodAffinity",
    "preferred anti-affinity": "InterPodAffinity",
    "hard spread": "PodTopologySpread",
    "soft spread": "PodTopologySpread",
    "default spread": "PodTopologySpread",
}


@pytest.fixture(scope="module")
def scene() -> Scene:
    """60 nodes with 500 running pods."""
    return build(nodes=60, pods=500, apps=2, seed=1)


@pytest.fixture(scope="module")
def measured(scene: Scene) -> dict[str, dict[str, Any]]:
    """Every shape on that scene."""
    results = measure(scene, list(SHAPES.values()), kinds=2, likes=3, progress=lambda message: None)
    return {entry["shape"]: entry for entry in results}


def test_each_occasion_is_measured_as_often_as_asked(measured: dict[str, dict[str, Any]]) -> None:
    assert list(measured) == list(SHAPES)
    for entry in measured.values():
        assert [entry[occasion]["decisions"] for occasion in ("first", "like", "changed")] == [2, 6, 6]
        assert all(entry[occasion]["milliseconds"]["p50"] > 0 for occasion in ("first", "like", "changed"))


@pytest.mark.parametrize(("shape", "plugin"), PLUGINS.items())
def test_its_plugin_tells_nodes_apart_for_a_shape(scene: Scene, shape: str, plugin: str) -> None:
    inspection = scene.scheduler().inspect(SHAPES[shape].pod(0).manifest())
    scores = {parts.normalized for parts in inspection.scores.get(plugin, {}).values()}
    assert inspection.filters.get(plugin) or len(scores) > 1


def test_only_pods_of_the_shape_taints_tolerate_the_tainted_nodes(scene: Scene) -> None:
    rejected = {
        name: scene.scheduler().inspect(SHAPES[name].pod(0).manifest()).filters["TaintToleration"]
        for name in ("plain", "taints")
    }
    assert len(rejected["plain"]) == 3
    assert not rejected["taints"]


def test_the_parts_add_up_and_name_every_plugin_that_is_asked(measured: dict[str, dict[str, Any]]) -> None:
    for entry in measured.values():
        parts = entry["first"]["plugin_milliseconds"]
        assert {CORE, "NodeResourcesFit", "PodTopologySpread", "InterPodAffinity"} <= set(parts)
        assert all(milliseconds > 0 for milliseconds in parts.values())


def test_the_scene_holds_running_pods_of_every_shape_and_breaks_no_rule(scene: Scene) -> None:
    bound = [event.manifest for event in scene.events if isinstance(event, PodSeen)]
    assert len(bound) == 500
    assert all(pod["spec"]["nodeName"] for pod in bound)
    assert {pod["metadata"]["labels"]["app"].rsplit("-", 1)[0] for pod in bound} == {
        name.replace(" ", "-") for name, shape in SHAPES.items() if shape.runs
    }
    alone = [
        (pod["metadata"]["labels"]["app"], pod["spec"]["nodeName"])
        for pod in bound
        if pod["metadata"]["labels"]["app"].startswith(("required-anti-affinity", "host-port"))
    ]
    assert len(set(alone)) == len(alone)


def test_timing_the_plugins_changes_no_decision(scene: Scene) -> None:
    plain, timed = scene.scheduler(), scene.scheduler(PluginClock().profile(Profile()))

    def decide(scheduler: Scheduler, manifest: dict[str, Any]) -> Any:
        scheduler.handle(PodSeen(manifest), NOW)
        instruction = scheduler.schedule_next(NOW)
        assert isinstance(instruction, Bind | ReportUnschedulable)
        return instruction.decision

    manifests = [shape.pod(index % 2).manifest() for shape in SHAPES.values() for index in range(4)]
    assert [decide(plain, manifest) for manifest in manifests] == [decide(timed, manifest) for manifest in manifests]


def test_a_pod_that_preempts_displaces_all_pods_of_a_node_and_the_scene_is_then_as_before() -> None:
    sparse = build(nodes=40, pods=30, apps=2, seed=1)
    scheduler, victims = sparse.scheduler(), Victims(sparse)
    before = list(scheduler.recounted())

    def tell(happened: Iterable[Event]) -> None:
        for event in happened:
            scheduler.handle(event, NOW)

    tell(victims.come())
    running = [event for event in (*sparse.events, *victims.come()) if isinstance(event, PodSeen)]
    for index in range(3):
        waiting = SHAPES["preempts"].pod(index % 2)
        tell([PodSeen(waiting.manifest())])
        decided = scheduler.schedule_next(NOW)
        assert isinstance(decided, ReportUnschedulable)
        assert decided.preemption is not None
        node = decided.preemption.node
        there = {pod.manifest["metadata"]["uid"] for pod in running if pod.manifest["spec"]["nodeName"] == node}
        assert {victim.uid for victim in decided.preemption.victims} == there
        tell(victims.restored(waiting.uid, decided))
        assert scheduler.schedule_next(NOW) is None
    tell(victims.go())
    assert list(scheduler.recounted()) == before
    assert all(kept == recounted for _, kept, recounted in before)


def test_timed_plugins_are_of_the_same_classes(scene: Scene) -> None:
    plain, timed = Profile(), PluginClock().profile(Profile())
    for name in ("filters", "scores", "neighbour_filters"):
        assert [type(plugin) for plugin in getattr(timed, name)] == [type(plugin) for plugin in getattr(plain, name)]


def test_the_same_seed_makes_the_same_scene() -> None:
    first, second = (build(nodes=30, pods=100, apps=2, seed=3) for _ in range(2))
    nodes = [
        [event.manifest["spec"]["nodeName"] for event in scene.events if isinstance(event, PodSeen)]
        for scene in (first, second)
    ]
    assert nodes[0] == nodes[1]
    assert np.unique(nodes[0]).size > 10


def test_the_command_writes_its_report_in_every_form(tmp_path: Path) -> None:
    sizes = ["--nodes", "40", "--pods", "200", "--kinds", "2", "--likes", "2", "--shape", "plain", "--shape", "taints"]
    files = [
        f"--{form}={tmp_path / name}" for form, name in (("json", "c.json"), ("markdown", "c.md"), ("figure", "c.png"))
    ]
    ended = CliRunner().invoke(app, ["bench", "core", *sizes, *files])
    assert ended.exit_code == 0, ended.output
    report = json.loads((tmp_path / "c.json").read_text())
    assert [entry["shape"] for entry in report["results"]] == ["plain", "taints"]
    assert "| taints |" in (tmp_path / "c.md").read_text()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert "taints" in ended.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["bench", "core", "--shape", "odd"], "error: --shape 'odd' is unknown; choose from plain, node affinity, "),
        (["bench", "core", "--json", "nowhere/core.json"], "does not exist; create it first."),
        (["bench", "--pods", "5", "core"], "error: --pods stands before core, where it has no effect"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 1
    assert problem in ended.stderr
    assert ended.stderr.count("\n") == 1
