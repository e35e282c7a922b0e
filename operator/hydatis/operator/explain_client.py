"""Fetches decisions from the operator: from a URL, or from a pod through `kubectl port-forward`.

In a cluster the operator tells decisions to its own pod alone, so kubectl forwards a port: the API server
authenticates the caller and asks RBAC for `pods/portforward`, and whatever credentials kubectl knows will do.
"""

import re
import selectors
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from hydatis.operator.errors import Misconfigured, NotFound, OperatorError

EXPLAIN_PORT = 8081
"""What the chart has the operator serve decisions on."""
SELECTOR = "app.kubernetes.io/name=hydatis"
ANSWER_SECONDS = 30.0
FORWARD_SECONDS = 15.0
MOST_ANSWER_BYTES = 64 * 2**20
_FORWARDING = re.compile(r"Forwarding from 127\.0\.0\.1:(\d+) ")


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask."""

    url: str | None = None
    """Of the operator; None: find its pod with kubectl."""
    kubeconfig: Path | None = None
    context: str | None = None
    namespace: str = "hydatis-system"


def fetch(place: Place, path: str) -> Any:
    """Return the JSON document at a path. Raises OperatorError."""
    if place.url is not None:
        parts = urlsplit(place.url)
        if parts.scheme != "http" or not parts.netloc:
            raise Misconfigured(f"--url {place.url!r} is not an HTTP address.", "Write it as http://127.0.0.1:8080.")
        return _get(f"http://{parts.netloc}{path}")
    with _forwarded(place) as url:
        return _get(f"{url}{path}")


def _get(url: str) -> Any:
    # This machine's own address needs no proxy, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ANSWER_SECONDS) as response:
            payload = response.read(MOST_ANSWER_BYTES)
    except urllib.error.HTTPError as refusal:
        raise _refused(refusal.code, refusal.read(MOST_ANSWER_BYTES), url) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise OperatorError(f"{url} does not answer: {reason}.", "Check that HYDATIS runs there.") from None
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise OperatorError(f"{url} does not answer with JSON.", "Check that HYDATIS runs there.") from None


def _refused(status: int, payload: bytes, url: str) -> OperatorError:
    try:
        problem = str(orjson.loads(payload)["error"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        remedy = "Name the address that hydatis run has as --explain-listen, or as --listen if that is on loopback."
        return OperatorError(f"{url} answers {status}.", remedy)
    return NotFound(status, problem) if status == 404 else OperatorError(problem)


@contextmanager
def _forwarded(place: Place) -> Iterator[str]:
    """Forward a free local port to the operator's pod while the context is open."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise Misconfigured("kubectl is not installed.", "Install it, or forward a port yourself and pass --url.")
    command = [kubectl, "--namespace", place.namespace]
    command += [] if place.kubeconfig is None else ["--kubeconfig", str(place.kubeconfig)]
    command += [] if place.context is None else ["--context", place.context]
    pod = _pod(command, place.namespace)
    forward = [*command, "port-forward", "--address", "127.0.0.1", pod, f":{EXPLAIN_PORT}"]
    with subprocess.Popen(forward, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield f"http://127.0.0.1:{_forwarded_port(process)}"
        finally:
            process.terminate()


def _pod(command: Sequence[str], namespace: str) -> str:
    """Return the running pod of the operator, as pod/NAME."""
    running = ["--field-selector", "status.phase=Running", "--output", "name"]
    try:
        listed = subprocess.run(
            [*command, "get", "pods", "--selector", SELECTOR, *running],
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OperatorError("kubectl does not answer.", "Check the kubeconfig and the cluster.") from None
    if listed.returncode:
        raise OperatorError(f"kubectl get pods failed: {_first_line(listed.stderr)}.", "Check the kubeconfig.")
    names = listed.stdout.split()
    if not names:
        raise OperatorError(
            f"No pod of HYDATIS (label {SELECTOR}) runs in the namespace {namespace}.",
            "Name its namespace with --namespace, or its address with --url.",
        )
    return names[0]


def _forwarded_port(process: "subprocess.Popen[bytes]") -> int:
    """Wait until kubectl says which port it listens on. Raises OperatorError."""
    assert process.stdout is not None  # noqa: S101 - for the type checker
    assert process.stderr is not None  # noqa: S101 - for the type checker
    deadline, told = time.monotonic() + FORWARD_SECONDS, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and selector.select(left):
            chunk = process.stdout.read1(4096)  # type: ignore[attr-defined]
            if not chunk:
                break
            told += chunk
            found = _FORWARDING.search(told.decode("utf-8", "replace"))
            if found is not None:
                return int(found.group(1))
    process.terminate()
    problem = _first_line(process.stderr.read().decode("utf-8", "replace")) or "it says nothing"
    raise OperatorError(
        f"kubectl port-forward failed: {problem}.",
        "You need the right to create pods/portforward in the namespace of HYDATIS; or pass --url.",
    )


def _first_line(text: str) -> str:
    return next((line.strip().rstrip(".") for line in text.splitlines() if line.strip()), "")
