"""The demo itself: creates the scenario on a running control plane, lets HYDATIS work, and collects what became of it.

Called by the command with the control plane and the operator already running. Every wait has a deadline; what did not
happen by then is found by the expectations at the end, so that the report is shown even when something failed.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from hydatis.sandbox.api_session import ApiSession, create_all
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.demo.errors import DemoError
from hydatis.sandbox.demo.expectations import Manifests, broken_expectations, has_condition, uses_models
from hydatis.sandbox.demo.live_view import QUEUES, LiveView, Progress
from hydatis.sandbox.demo.node_fill import NodeFill
from hydatis.sandbox.demo.scenario import GATED, NAMESPACE, POLICY, Scenario
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.sandbox.pod_watch import ObservedPod, PodWatch
from hydatis.sandbox.processes import log_tail

_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
_EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"
_NODES_READY_SECONDS = 60.0
_MODELS_SECONDS = 60.0
"""Each is tried in a process of low priority, on a machine that may be busy."""
_BOUND_SECONDS = 90.0
_EVENTS_SECONDS = 10.0
_POLL_SECONDS = 0.25
_NOT_READY = "node.kubernetes.io/not-ready"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the demo ended; manifests are as the API server lists them at the end."""

    nodes: Sequence[Mapping[str, Any]]
    pods: Sequence[Mapping[str, Any]]
    events: Mapping[str, int]
    """Stored Events by reason."""
    latencies_ms: Sequence[float]
    """Of every bound pod: from first seen without scheduling gates to seen bound."""
    seconds_to_bind: float
    """From the first creation until every pod that fits was bound, the gated one aside."""
    released: int
    """Pods bound after their gate was removed."""
    broken: Sequence[str]
    fill: NodeFill


class Performance:
    """One demo, from the first node to the last Event."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        control_plane: ControlPlane,
        operator: OperatorProcess,
        session: ApiSession,
        view: LiveView,
        fill: NodeFill,
    ) -> None:
        self._scenario = scenario
        self._control_plane = control_plane
        self._operator = operator
        self._session = session
        self._view = view
        self._fill = fill
        self._watch = PodWatch(session, NAMESPACE, on_bind=fill.add)
        self._started_at = 0.0

    async def perform(self) -> Outcome:
        """Play the whole scenario.

        Raises:
            DemoError: nodes did not become ready, or the operator ended.
            SandboxError: kubectl failed.
            ApiError: the API server refused an object.

        """
        await self._session.post("/api/v1/namespaces", orjson.dumps({"metadata": {"name": NAMESPACE}}))
        await self._create_nodes()
        self._view.tell(f"{len(self._scenario.nodes)} nodes ready")
        await self._until_polled(self._models_in_use, _MODELS_SECONDS)
        self._view.tell(await self._verified())
        await self._watch.start()
        self._started_at = time.perf_counter()
        ticker = asyncio.create_task(self._tick())
        try:
            await asyncio.gather(
                self._kubectl_create(self._scenario.workloads), create_all(self._session, _PODS, self._scenario.pods)
            )
            await self._until(self._settled, _BOUND_SECONDS)
            seconds_to_bind = time.perf_counter() - self._started_at
            bound_while_gated, released = await self._release()
        finally:
            ticker.cancel()
            with suppress(asyncio.CancelledError):
                await ticker
        self._show(await self._queues(), force=True)
        return await self._collect(seconds_to_bind, released, bound_while_gated=bound_while_gated)

    async def _create_nodes(self) -> None:
        await create_all(self._session, "/api/v1/nodes", self._scenario.nodes)
        if not await self._until_polled(self._nodes_ready, _NODES_READY_SECONDS):
            raise DemoError(
                f"the nodes are not ready after {_NODES_READY_SECONDS:g} s; look into the logs of kwok and "
                f"kube-controller-manager in {self._control_plane.directory}."
            )

    async def _nodes_ready(self) -> bool:
        nodes = (await self._session.get("/api/v1/nodes"))["items"]
        return len(nodes) == len(self._scenario.nodes) and all(
            has_condition(node, "Ready") and not _tainted(node) for node in nodes
        )

    async def _models_in_use(self) -> bool:
        models = await self._models()
        verified = bool(models) and all(has_condition(model, "Verified") for model in models)
        return verified and uses_models(await self._read_policy())

    async def _models(self) -> Manifests:
        found: Manifests = (await self._session.get("/apis/hydatis.io/v1alpha1/mlmodels"))["items"]
        return found

    async def _verified(self) -> str:
        models = await self._models()
        names = [model["metadata"]["name"] for model in models if has_condition(model, "Verified")]
        return f"verified models: {', '.join(names) or 'none'}"

    async def _read_policy(self) -> Mapping[str, Any]:
        path = f"/apis/hydatis.io/v1alpha1/mlschedulerpolicies/{POLICY}"
        policy: Mapping[str, Any] = await self._session.get(path)
        return policy

    async def _kubectl_create(self, manifests: Sequence[Mapping[str, Any]]) -> None:
        objects = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        await asyncio.to_thread(self._control_plane.kubectl, "create", "-f", "-", stdin=json.dumps(objects))

    def _present(self) -> list[ObservedPod]:
        return [pod for pod in self._watch.pods.values() if not pod.deleted]

    def _settled(self) -> bool:
        """Every pod is there, and bound, gated, or told why it cannot be; of a strict scenario all but two are
        bound.
        """
        present = self._present()
        if len(present) < self._scenario.pod_count:
            return False
        if self._scenario.strict and self._watch.bound < self._scenario.pod_count - 2:
            return False
        return all(pod.node or pod.gated or pod.unschedulable_message for pod in present)

    async def _release(self) -> tuple[bool, int]:
        """Remove the gate; give whether the pod had been bound behind it, and how many were bound without it."""
        gated = next((pod for pod in self._present() if pod.name == GATED), None)
        if gated is None:
            return False, 0
        bound_while_gated = gated.node is not None
        self._view.tell(f"removing the scheduling gate of pod {GATED}")
        await self._session.patch(f"{_PODS}/{GATED}", orjson.dumps({"spec": {"schedulingGates": None}}))
        await self._until(lambda: gated.node is not None, _BOUND_SECONDS)
        return bound_while_gated, int(gated.node is not None and not bound_while_gated)

    async def _collect(self, seconds_to_bind: float, released: int, *, bound_while_gated: bool) -> Outcome:
        await self._until_polled(self._events_complete, _EVENTS_SECONDS)
        await self._watch.stop()
        nodes = (await self._session.get("/api/v1/nodes"))["items"]
        pods = (await self._session.get(_PODS))["items"]
        events = (await self._session.get(_EVENTS))["items"]
        broken = broken_expectations(
            self._scenario,
            nodes=nodes,
            pods=pods,
            events=events,
            policy=await self._read_policy(),
            bound_while_gated=bound_while_gated,
        )
        latencies = [
            (pod.bound_at - pod.ready_to_schedule_at) * 1000.0 for pod in self._present() if pod.bound_at is not None
        ]
        reasons = Counter(event["reason"] for event in events)
        return Outcome(nodes, pods, reasons, latencies, seconds_to_bind, released, broken, self._fill)

    async def _events_complete(self) -> bool:
        """Whether every bound pod's Event is stored, and one for each that cannot be bound."""
        events = (await self._session.get(_EVENTS))["items"]
        reasons = Counter(event["reason"] for event in events)
        pending = sum(1 for pod in self._present() if pod.unschedulable_message)
        return reasons["Scheduled"] >= self._watch.bound and reasons["FailedScheduling"] >= pending

    async def _until(self, reached: Callable[[], bool], timeout_seconds: float) -> None:
        """Wait for the watch to see something, for `timeout_seconds` at most, as long as the operator lives."""
        deadline = time.perf_counter() + timeout_seconds
        while (remaining := deadline - time.perf_counter()) > 0:
            if await self._watch.until(reached, min(1.0, remaining)):
                return
            if not self._operator.alive():
                log = log_tail(self._operator.log)
                raise DemoError(f"the operator ended in the middle of the demo; the end of its log:\n{log}")

    async def _until_polled(self, reached: Callable[[], Any], timeout_seconds: float) -> bool:
        deadline = time.perf_counter() + timeout_seconds
        while not await reached():
            if time.perf_counter() >= deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _tick(self) -> None:
        while True:
            self._show(await self._queues())
            await asyncio.sleep(_POLL_SECONDS)

    def _show(self, queues: Mapping[str, int], *, force: bool = False) -> None:
        seconds = time.perf_counter() - self._started_at
        self._view.show(Progress(seconds, len(self._present()), self._watch.bound, queues), force=force)

    async def _queues(self) -> Mapping[str, int]:
        """Ask the operator for the depths of its queues; a view without them is better than no demo."""
        try:
            metrics = await asyncio.to_thread(self._operator.metrics)
        except SandboxError:
            return {}
        return {queue: int(metrics.get(f'scheduler_pending_pods{{queue="{queue}"}}', 0)) for queue in QUEUES}


def _tainted(node: Mapping[str, Any]) -> bool:
    return any(taint["key"] == _NOT_READY for taint in node["spec"].get("taints", ()))
