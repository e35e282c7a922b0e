"""The HTTP servers of the operator: /metrics, /healthz and /readyz, and what is told to this machine alone.

`running` starts it before anything else, so that a port in use is told at once. A probe answers 200 or 503 with a JSON
body of all its checks, so that a person sees at once which one failed.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping

import orjson
from aiohttp import web
from prometheus_client import exposition

from hydatis.operator.errors import Misconfigured
from hydatis.operator.loopback import is_loopback
from hydatis.operator.metrics import Metrics

Checks = Callable[[], Mapping[str, str]]
"""Name of each check to what is wrong with it, empty when it passes."""
LAG_INTERVAL_SECONDS = 0.5


class ProbeServer:
    """Serves one address until stopped, and a second one if asked to."""

    def __init__(
        self, metrics: Metrics, *, health: Checks, readiness: Checks, local: Iterable[web.AbstractRouteDef] = ()
    ) -> None:
        """`local` is what only loopback addresses serve."""
        self._metrics = metrics
        self._health = health
        self._readiness = readiness
        self._local = tuple(local)
        self._runners: list[web.AppRunner] = []

    async def start(self, host: str, port: int) -> str:
        """Listen; returns the address, with the port that was free when `port` is 0. Raises Misconfigured."""
        app = web.Application()
        app.router.add_get("/metrics", self._serve_metrics)
        app.router.add_get("/healthz", self._serve_health)
        app.router.add_get("/livez", self._serve_health)
        app.router.add_get("/readyz", self._serve_readiness)
        if is_loopback(host):
            app.router.add_routes(self._local)
        return await self._listen(app, host, port, "--listen")

    async def start_local(self, host: str, port: int) -> str:
        """Listen on a second, loopback, address, for what only these serve; returns it. Raises Misconfigured."""
        app = web.Application()
        app.router.add_routes(self._local)
        return await self._listen(app, host, port, "--explain-listen")

    async def _listen(self, app: web.Application, host: str, port: int, option: str) -> str:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise Misconfigured(
                f"{option} {host}:{port} cannot be used: {_reason(error)}.", "Pass another address or port."
            ) from error
        self._runners.append(runner)
        address = runner.addresses[0]
        return f"{address[0]}:{address[1]}"

    async def stop(self) -> None:
        """Close the servers; requests in flight get up to a second."""
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()

    async def measure_lag(self) -> None:
        """Observe how late the event loop is; runs until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_INTERVAL_SECONDS
            await asyncio.sleep(LAG_INTERVAL_SECONDS)
            self._metrics.loop_lag.observe(max(0.0, loop.time() - due))

    async def _serve_health(self, _: web.Request) -> web.Response:
        return _answer(self._health())

    async def _serve_readiness(self, _: web.Request) -> web.Response:
        return _answer(self._readiness())

    async def _serve_metrics(self, request: web.Request) -> web.Response:
        encode, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._metrics.registry), headers={"Content-Type": content_type})


def _reason(error: OSError) -> str:
    # asyncio repeats the address in its own words; the system's few words are enough.
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error.strerror or error)


def _answer(checks: Mapping[str, str]) -> web.Response:
    failed = any(checks.values())
    named = {name: problem or "ok" for name, problem in checks.items()}
    body = {"status": "failed" if failed else "ok", "checks": named}
    return web.Response(
        status=503 if failed else 200,
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE),
        content_type="application/json",
    )
