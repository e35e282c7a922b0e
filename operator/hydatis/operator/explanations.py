"""Decisions as JSON, for people who ask why: GET /v1/decisions and /v1/decisions/NAMESPACE/NAME.

What is told names pods and nodes of all namespaces, so it is served to this machine alone, which in a cluster means to
this pod: `--explain-listen` takes loopback addresses only, and a request that names another host is refused, so that no
web page can have a browser ask. Who asks from elsewhere does so through the API server's port-forwarding, which
authenticates them and asks RBAC. Nothing can be changed here. An explanation is computed when it is asked for,
one at a time and beside the event loop.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from aiohttp import web
from yarl import URL

from hydatis.operator.decisions import MOST_DECISIONS, DecisionLog, Record, State
from hydatis.operator.loopback import is_loopback
from hydatis.scheduler.decision import Decision, Mode, ModelReference, NodeScore
from hydatis.scheduler.explaining import Explanation, explain
from hydatis.scheduler.label_selectors import is_dns_label, is_dns_subdomain
from hydatis.scheduler.models.loaded import LoadedModels
from hydatis.scheduler.models.model import Model

PATH = "/v1/decisions"
DEFAULT_LIMIT = 20
MOST_EXPLAINED = 5
"""Decisions about one pod that are explained in one answer, the newest."""
_HUNDREDTHS = 100.0

Document = dict[str, Any]


class Explanations:
    """Answers requests about the decisions of one operator."""

    def __init__(self, log: DecisionLog, models: LoadedModels) -> None:
        self._log = log
        self._models = models
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return what is to be served, on a loopback address."""
        return (web.get(PATH, self._latest), web.get(PATH + "/{namespace}/{name}", self._of_pod))

    async def _latest(self, request: web.Request) -> web.Response:
        if not is_loopback(_hostname(request)):
            return _refusal(403, "Decisions are told to this machine alone; ask for them as localhost or 127.0.0.1.")
        text = request.query.get("limit", str(DEFAULT_LIMIT))
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 4 and 1 <= int(text) <= MOST_DECISIONS):
            return _refusal(400, f"limit must be a whole number from 1 to {MOST_DECISIONS}.")
        return _answer(200, {"decisions": [summary(record) for record in self._log.latest(int(text))]})

    async def _of_pod(self, request: web.Request) -> web.Response:
        if not is_loopback(_hostname(request)):
            return _refusal(403, "Decisions are told to this machine alone; ask for them as localhost or 127.0.0.1.")
        namespace, name = request.match_info["namespace"], request.match_info["name"]
        if not is_dns_label(namespace) or not is_dns_subdomain(name):
            return _refusal(400, "Name a pod: a namespace and a name of lower-case letters, digits, '-' and '.'.")
        records = self._log.of_pod(namespace, name)[:MOST_EXPLAINED]
        if not records:
            problem = f"No decision about the pod {namespace}/{name} is remembered; the last {len(self._log)} are kept."
            return _refusal(404, problem)
        # What is loaded now, for models come and go while another thread explains.
        models = dict(self._models)
        async with self._one_at_a_time:
            documents = await asyncio.to_thread(lambda: [explained(record, models) for record in records])
        return _answer(200, {"decisions": documents})


def summary(record: Record) -> Document:
    """One decision in short."""
    decision = record.decision
    return {
        "pod": {"namespace": decision.pod.namespace, "name": decision.pod.name, "uid": decision.pod.uid},
        "at": datetime.fromtimestamp(record.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "state": record.state.value,
        "node": "" if decision.chosen is None else decision.chosen.node,
        "schedulerName": decision.scheduler_name,
        "policy": {"name": decision.policy, "generation": decision.policy_generation},
        "mode": decision.mode.value,
        "models": [_model(model) for model in decision.models],
        "attempts": decision.attempts,
        "waitedSeconds": round(max(0.0, decision.decided_at - decision.first_queued_at), 3),
        "nodes": decision.nodes,
        "feasible": decision.feasible,
        "summary": decision.summary(),
        "message": record.message,
    }


def explained(record: Record, models: Mapping[str, Model]) -> Document:
    """One decision in full."""
    decision = record.decision
    document = summary(record)
    evidence = decision.evidence
    best = (decision.chosen,) if evidence is None else evidence.best
    document["bestNodes"] = [_node(decision, score) for score in best if score is not None]
    document["nominated"] = decision.nominated
    if decision.shadow is not None:
        document["shadow"] = {"node": decision.shadow.node, "score": decision.shadow.total / _HUNDREDTHS}
    document["rejections"] = [
        {"plugin": one.plugin, "nodes": one.nodes, "reasons": dict(one.reasons), "examples": list(one.examples)}
        for one in decision.rejected
    ]
    if record.state is State.UNSCHEDULABLE:
        document["preemption"] = {"node": record.nominated_node, "victims": record.victims}
    return document | _explanation(explain(decision, models))


def _explanation(explanation: Explanation) -> Document:
    return {
        "features": [
            {
                "name": one.name,
                "unit": one.unit,
                "meaning": one.meaning,
                "chosen": one.chosen,
                "runnerUp": one.runner_up,
                "usual": one.usual,
                "deviations": one.deviations,
            }
            for one in explanation.features
        ],
        "modelOpinions": [
            {
                "part": opinion.part,
                "model": _model(opinion.model),
                "unavailable": opinion.unavailable,
                "chosen": opinion.chosen,
                "runnerUp": opinion.runner_up,
                "points": opinion.points,
                "exact": opinion.exact,
                "contributions": [
                    {"feature": one.feature, "points": one.points, "standardError": one.standard_error}
                    for one in opinion.contributions
                ],
            }
            for opinion in explanation.models
        ],
    }


def _node(decision: Decision, score: NodeScore) -> Document:
    """Scores in points: those of the ensemble count hundredths."""

    def points(told: int) -> float:
        return told / _HUNDREDTHS if decision.mode is Mode.ENSEMBLE else told

    parts = {name: points(part) for name, part in score.parts}
    return {"node": score.node, "score": points(score.total), "parts": parts}


def _model(model: ModelReference) -> Document:
    return {"name": model.name, "version": model.version, "sha256": model.digest}


def _hostname(request: web.Request) -> str:
    try:
        return URL(f"http://{request.host}").host or ""
    except ValueError:
        return ""


def _refusal(status: int, problem: str) -> web.Response:
    return _answer(status, {"error": problem})


def _answer(status: int, body: Document) -> web.Response:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return web.Response(status=status, body=text, content_type="application/json")
