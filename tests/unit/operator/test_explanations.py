"""Decisions told over HTTP, to this machine alone, and written for people."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import pytest
from typer.testing import CliRunner

from hydatis.operator.commands import explain
from hydatis.operator.decisions import DecisionLog
from hydatis.operator.errors import Misconfigured
from hydatis.operator.explain_text import list_text, pod_text
from hydatis.operator.explanations import Explanations
from hydatis.operator.loopback import is_loopback
from hydatis.operator.metrics import Metrics
from hydatis.operator.options import explain_address, pod_name
from hydatis.operator.probes import ProbeServer
from hydatis.scheduler.ensemble_weights import EnsembleWeights
from hydatis.scheduler.events import ModelLoaded, NodeSeen, PodSeen, PolicyInForce
from hydatis.scheduler.features.columns import PLACEMENT_SCHEMA
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.scheduler import Scheduler, Settings
from hydatis.scheduler.testing import node, pod
from hydatis.scheduler.testing_onnx import linear


def load_model() -> OnnxModel:
    """Predicts more load the more of the node's CPU is requested, and the fewer cores it has."""
    weights = [0.0] * PLACEMENT_SCHEMA.width
    weights[PLACEMENT_SCHEMA.index("cpu_requested")] = 1e-3
    weights[PLACEMENT_SCHEMA.index("cpu_capacity")] = -1e-6
    return OnnxModel.load(
        linear(weights, bias=1e-4),
        kind=ModelKind.LOAD,
        name="load",
        version="v7",
        schema_hash=PLACEMENT_SCHEMA.hash,
        width=PLACEMENT_SCHEMA.width,
    )


@dataclass
class Served:
    core: Scheduler
    log: DecisionLog
    url: str

    def attempt(self, name: str, cpu: str = "500m") -> None:
        builder = pod(name, "web").requests(cpu=cpu, memory="1Gi").set_spec(schedulerName="hydatis")
        self.core.handle(PodSeen(builder.manifest()), 1.0)
        instruction = self.core.schedule_next(1.0)
        assert instruction is not None
        self.log.note(instruction, 1_767_225_600.25)

    async def get(self, path: str, host: str | None = None) -> tuple[int, Any]:
        headers = {} if host is None else {"Host": host}
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    settings = Settings(frozenset({"hydatis"}), keep_evidence=True)
    core = Scheduler(settings, random=np.random.default_rng(1))
    for number in range(4):
        core.handle(NodeSeen(node(f"n{number}").allocatable(cpu=str(8 + 8 * number), memory="64Gi").manifest()), 0.0)
    log = DecisionLog()
    metrics = Metrics(["hydatis"])
    server = ProbeServer(metrics, health=dict, readiness=dict, local=Explanations(log, core.models).routes())
    address = await server.start("127.0.0.1", 0)
    yield Served(core, log, f"http://{address}")
    await server.stop()


def with_ensemble(core: Scheduler) -> None:
    core.handle(ModelLoaded(load_model()), 0.0)
    weights = EnsembleWeights(expected_overload=50, load=50, load_model="load")
    core.handle(PolicyInForce(Policy("learned", generation=3, ensemble=weights)), 0.0)


async def test_a_placement_is_told_in_full(served: Served) -> None:
    with_ensemble(served.core)
    served.attempt("api-0")
    served.log.bound(served.log.latest(1)[0].decision.pod.uid)
    status, body = await served.get("/v1/decisions/web/api-0")
    assert status == 200
    (one,) = body["decisions"]
    assert one["pod"]["name"] == "api-0"
    assert (one["at"], one["state"], one["mode"]) == ("2026-01-01T00:00:00.250Z", "Bound", "Ensemble")
    assert one["policy"] == {"name": "learned", "generation": 3}
    assert one["models"] == [{"name": "load", "version": "v7", "sha256": load_model().digest}]
    assert one["summary"].endswith("policy learned, mode Ensemble, models load@v7")
    best = one["bestNodes"]
    assert best[0]["node"] == one["node"]
    assert len(best) == 4
    for each in best:
        assert sum(each["parts"].values()) == pytest.approx(each["score"])
    (opinion,) = one["modelOpinions"]
    assert sum(each["points"] for each in opinion["contributions"]) == pytest.approx(opinion["points"])
    assert best[0]["parts"]["load"] - best[1]["parts"]["load"] == pytest.approx(opinion["points"], abs=0.011)
    assert {each["feature"] for each in opinion["contributions"]} <= {"cpu_requested", "cpu_capacity"}

    text = pod_text(body["decisions"])
    assert text.startswith(f"web/api-0: Bound on {one['node']}, 2026-01-01T00:00:00Z, 1 attempt, 0 s\nscore ")
    assert "policy learned of generation 3, scheduler name hydatis" in text
    assert f"load: load@v7 predicts {opinion['chosen']:.4g} for {one['node']} and " in text
    assert "cores" in text


async def test_why_not_is_told_by_plugin(served: Served) -> None:
    served.attempt("huge", cpu="900")
    _, body = await served.get("/v1/decisions/web/huge")
    (one,) = body["decisions"]
    assert (one["state"], one["node"], one["feasible"]) == ("Unschedulable", "", 0)
    assert one["rejections"] == [
        {
            "plugin": "NodeResourcesFit",
            "nodes": 4,
            "reasons": {"Insufficient cpu": 4},
            "examples": ["n0", "n1", "n2"],
        }
    ]
    text = pod_text(body["decisions"])
    assert "NodeResourcesFit  4      4 Insufficient cpu  n0 n1 n2" in text
    assert "0/4 nodes are available: 4 Insufficient cpu." in text


async def test_the_last_ones_are_listed_the_newest_first(served: Served) -> None:
    for number in range(5):
        served.attempt(f"p{number}")
    status, body = await served.get("/v1/decisions?limit=2")
    assert status == 200
    assert [one["pod"]["name"] for one in body["decisions"]] == ["p4", "p3"]
    assert "bestNodes" not in body["decisions"][0]
    lines = list_text(body["decisions"]).splitlines()
    assert lines[0].split() == ["WHEN", "POD", "STATE", "NODE", "FEASIBLE", "ATTEMPTS", "POLICY", "MODE", "MODELS"]
    assert lines[1].split()[:3] == ["2026-01-01T00:00:00Z", "web/p4", "Binding"]
    assert lines[1].split()[-4:] == ["1", "built-in", "Fallback", "-"]
    assert list_text([]) == "No decision has been made yet.\n"


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "1e3", "٣", "99999999999999999999"])
async def test_a_limit_out_of_range_is_refused(served: Served, limit: str) -> None:
    status, body = await served.get(f"/v1/decisions?limit={limit}")
    assert (status, body) == (400, {"error": "limit must be a whole number from 1 to 1000."})


@pytest.mark.parametrize("path", ["web/..%2f..%2fetc", "WEB/api", "web/a%00b", "web/%3Cscript%3E", "web/" + "a" * 300])
async def test_what_is_no_pods_name_is_refused(served: Served, path: str) -> None:
    status, body = await served.get(f"/v1/decisions/{path}")
    assert status == 400
    assert body["error"].startswith("Name a pod")


async def test_a_pod_that_nobody_decided_about_is_not_found(served: Served) -> None:
    status, body = await served.get("/v1/decisions/web/nobody")
    assert status == 404
    assert "web/nobody" in body["error"]


@pytest.mark.parametrize("host", ["attacker.example", "10.0.0.1:8081", "127.0.0.1.attacker.example", "["])
@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions/web/api-0"])
async def test_a_request_in_the_name_of_another_host_is_refused(served: Served, host: str, path: str) -> None:
    served.attempt("api-0")
    status, _ = await served.get(path, host)
    assert status in (400, 403)
    for own in ("localhost:1", "127.0.0.1", "[::1]:8081"):
        assert (await served.get(path, own))[0] == 200


async def test_an_address_that_others_reach_serves_no_decisions() -> None:
    routes = Explanations(DecisionLog(), Scheduler(random=np.random.default_rng(1)).models).routes()
    server = ProbeServer(Metrics(["hydatis"]), health=dict, readiness=dict, local=routes)
    port = (await server.start("0.0.0.0", 0)).rpartition(":")[2]  # noqa: S104 - what is tested
    local = (await server.start_local("127.0.0.1", 0)).rpartition(":")[2]
    async with aiohttp.ClientSession() as session:
        for where, wanted in ((port, 404), (local, 200)):
            async with session.get(f"http://127.0.0.1:{where}/v1/decisions") as answer:
                assert answer.status == wanted
        async with session.get(f"http://127.0.0.1:{local}/metrics") as answer:
            assert answer.status == 404
    await server.stop()


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)]  # noqa: S104
    + [(host, False) for host in ("::", "10.0.0.1", "example.com", "")],
)
def test_which_addresses_are_of_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) == own


def test_options_are_checked() -> None:
    assert explain_address("127.0.0.1:8081") == ("127.0.0.1", 8081)
    with pytest.raises(Misconfigured, match=r"--explain-listen '0.0.0.0:8081' is not of this machine alone"):
        explain_address("0.0.0.0:8081")
    with pytest.raises(Misconfigured, match="--explain-listen 'x' is not an address"):
        explain_address("x")
    assert pod_name("web/api-0") == ("web", "api-0")
    for wrong in ("api-0", "web/", "web/a/b", "web/../x", "Web/x"):
        with pytest.raises(Misconfigured, match="does not name a pod"):
            pod_name(wrong)


def test_text_holds_nothing_that_a_terminal_obeys() -> None:
    record = {
        "pod": {"namespace": "web", "name": "a\x1b[31m"},
        "at": "2026-01-01T00:00:00.000Z",
        "state": "Bound",
        "node": "n\u202e1",
        "feasible": 1,
        "nodes": 1,
        "attempts": 1,
        "policy": {"name": "p"},
        "mode": "Fallback",
        "models": [],
    }
    text = list_text([record])
    assert "\x1b" not in text
    assert "\u202e" not in text


async def test_the_command_asks_and_prints(served: Served) -> None:
    import asyncio  # noqa: PLC0415

    served.attempt("api-0")

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, explain, [*arguments, "--url", served.url])

    shown = await run("pod", "web/api-0")
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("web/api-0: Binding on ")
    listed = await run("last", "-n", "1", "-o", "json")
    assert json.loads(listed.output)["decisions"][0]["pod"]["name"] == "api-0"
    missing = await run("pod", "web/none")
    assert missing.exit_code == 1
    assert missing.output.startswith("error: No decision about the pod web/none is remembered")
    assert (await run("pod", "none")).output.startswith("error: 'none' does not name a pod.")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://127.0.0.1:1", "is not an HTTP address"),
        ("file:///etc/passwd", "is not an HTTP address"),
        ("http://127.0.0.1:1", "does not answer: "),
    ],
)
def test_an_address_that_cannot_be_asked_is_one_sentence(url: str, problem: str) -> None:
    result = CliRunner().invoke(explain, ["last", "--url", url])
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert problem in result.output
    assert result.output.count("\n") == 1
