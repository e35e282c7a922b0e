"""A proxy before the sandbox's API server that spoils what its plan says and passes on everything else.

Tests start it, point a kubeconfig at `FaultProxy.url` and change its `plan` while it runs. It serves TLS with the
sandbox's own certificate, so clients verify it as they verify the API server. It runs in a thread and an event loop of
its own: tests may block. It never repeats a request and keeps no state of the cluster.
"""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import aiohttp
import orjson
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.actions import Answer, Delay, Hang, LoseAnswer, Replace, WatchAction
from hydatis.sandbox.faults.calls import Call
from hydatis.sandbox.faults.plan import FaultPlan, Rule
from hydatis.sandbox.faults.streaming import break_off, pass_on_watch

_START_SECONDS = 10.0
_STOP_SECONDS = 10.0
_LARGEST_BODY = 64 * 2**20
_HOP_BY_HOP = ("Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Upgrade", "TE")


class FaultProxy:
    """A running proxy. Use as a context manager, or call `stop`."""

    def __init__(self, upstream: str, certificates: Certificates, plan: FaultPlan) -> None:
        """For `start` only."""
        self.plan = plan
        self.url = ""
        """Its address, `https://127.0.0.1:PORT`."""
        self._upstream = upstream.rstrip("/")
        self._certificates = certificates
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._late: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None

    @classmethod
    def start(cls, upstream: str, certificate_folder: Path, plan: FaultPlan) -> Self:
        """Start before the API server at `upstream`; the sandbox's certificates are in `certificate_folder`.

        Raises `SandboxError` where it cannot listen.
        """
        proxy = cls(upstream, Certificates(certificate_folder), plan)
        proxy._thread.start()
        try:
            proxy._run(proxy._open(), _START_SECONDS)
        except OSError as error:
            proxy.stop()
            raise SandboxError(f"the fault proxy cannot start: {error}; start the sandbox first") from error
        return proxy

    def stop(self) -> None:
        """Break every connection and end the thread. Idempotent."""
        if not self._thread.is_alive():
            return
        self._run(self._close(), _STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_SECONDS)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, work: Coroutine[Any, Any, None], seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    async def _open(self) -> None:
        trust = ssl.create_default_context(cafile=str(self._certificates.ca))
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.load_cert_chain(self._certificates.certificate, self._certificates.key)
        self._client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_START_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        )
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        # A client that gives up cancels its handler; otherwise calls that hang would stay for ever.
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=own).start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        for task in self._late:
            task.cancel()
        await asyncio.gather(*self._late, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None and self._client.connector is not None:
            # TLS's farewell would outlive the loop.
            await self._client.connector.close(abort_ssl=True)
            await self._client.close()
        await self._loop.shutdown_asyncgens()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = Call.of(request.method, request.path, request.query)
        rule = self.plan.decide(call)
        try:
            if call.verb == "watch":
                return await self._watch(request, rule)
            return await self._single(request, rule)
        except (aiohttp.ClientError, OSError):
            # The API server is down or broke off, and that is what the client sees.
            return _broken(request)

    async def _watch(self, request: web.Request, rule: Rule | None) -> web.StreamResponse:
        if rule is not None and isinstance(rule.action, Answer | Hang | Delay):
            return await self._single(request, rule)
        struck = False

        def applied() -> None:
            nonlocal struck
            struck = True
            if rule is not None:
                self.plan.applied(rule)

        try:
            async with self._send(request, b"") as answer:
                action = None if rule is None or answer.status != HTTPStatus.OK else rule.action
                if not isinstance(action, WatchAction):
                    action = None
                try:
                    return await pass_on_watch(request, answer, action, applied)
                finally:
                    # A watch that is left early would say TLS's farewell to a server that still sends.
                    if answer.connection is not None and answer.connection.transport is not None:
                        answer.connection.transport.abort()
        finally:
            if rule is not None and not struck:
                self.plan.spared(rule)

    async def _single(self, request: web.Request, rule: Rule | None) -> web.StreamResponse:
        body = await request.read()
        if rule is None:
            return await self._forward(request, body)
        match rule.action:
            case Answer() as action:
                self.plan.applied(rule)
                return _status(action)
            case Hang():
                self.plan.applied(rule)
                await asyncio.Event().wait()
            case Delay(seconds):
                return await self._forward_late(request, body, seconds, rule)
            case LoseAnswer():
                await self._forward(request, body)
                self.plan.applied(rule)
                return _broken(request)
            case Replace(status):
                await self._forward(request, body)
                self.plan.applied(rule)
                return _status(Answer(status))
            case _:
                pass
        raise SandboxError(f"the rule {rule.name!r} is for watches and met {request.method} {request.path}")

    async def _forward(self, request: web.Request, body: bytes) -> web.Response:
        async with self._send(request, body) as answer:
            payload = await answer.read()
            return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=payload)

    async def _forward_late(self, request: web.Request, body: bytes, seconds: float, rule: Rule) -> web.Response:
        answered: asyncio.Future[web.Response] = self._loop.create_future()

        async def work() -> None:
            await asyncio.sleep(seconds)
            try:
                response = await self._forward(request, body)
            except (aiohttp.ClientError, OSError) as error:
                if not answered.done():
                    answered.set_exception(error)
                return
            self.plan.applied(rule)
            if not answered.done():
                answered.set_result(response)

        # A task of its own: it goes on when the client has given up and its handler is cancelled.
        task = asyncio.create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return await answered

    def _send(self, request: web.Request, body: bytes) -> "aiohttp.client._RequestContextManager":
        client = cast(aiohttp.ClientSession, self._client)
        url = URL(self._upstream + request.raw_path, encoded=True)
        return client.request(
            request.method, url, headers=_end_to_end(request.headers), data=body or None, allow_redirects=False
        )


def _end_to_end(headers: Any) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in _HOP_BY_HOP:
        kept.popall(name, None)
    return kept


def _status(action: Answer) -> web.Response:
    body = action.body or {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"an injected fault, status {action.status}",
        "reason": action.reason,
        "code": action.status,
    }
    headers = {} if action.retry_after_seconds is None else {"Retry-After": str(action.retry_after_seconds)}
    return web.Response(status=action.status, headers=headers, body=orjson.dumps(body), content_type="application/json")


def _broken(request: web.Request) -> web.Response:
    break_off(request)
    return web.Response(status=HTTPStatus.BAD_GATEWAY)
