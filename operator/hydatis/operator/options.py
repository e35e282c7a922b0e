"""Reads the values of command-line options, each with one clear sentence when it is wrong."""

import re

from hydatis.operator.errors import Misconfigured
from hydatis.operator.loopback import is_loopback
from hydatis.scheduler.label_selectors import is_dns_label, is_dns_subdomain

_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
MOST_BIND_CONCURRENCY = 512


def listen_address(text: str) -> tuple[str, int]:
    """HOST:PORT, also [IPv6]:PORT; port 0 takes any free one. Raises Misconfigured."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise Misconfigured(
            f"--listen {text!r} is not an address and port.", "Write it as 127.0.0.1:8080; the port is 0 to 65535."
        )
    return host, int(port)


def explain_address(text: str) -> tuple[str, int]:
    """HOST:PORT of a loopback address. Raises Misconfigured."""
    try:
        host, port = listen_address(text)
    except Misconfigured as error:
        raise Misconfigured(error.problem.replace("--listen", "--explain-listen"), error.remedy) from None
    if not is_loopback(host):
        raise Misconfigured(
            f"--explain-listen {text!r} is not of this machine alone, and decisions name pods of all namespaces.",
            "Use 127.0.0.1 or [::1], and port-forwarding from elsewhere.",
        )
    return host, port


def scheduler_names(names: list[str]) -> frozenset[str]:
    """The values of `spec.schedulerName` to schedule for. Raises Misconfigured."""
    for name in names:
        if len(name) > 253 or not _DNS_SUBDOMAIN.fullmatch(name):
            raise Misconfigured(
                f"--scheduler-name {name[:80]!r} cannot be a scheduler's name.",
                "Use at most 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends.",
            )
    return frozenset(names)


def pod_name(text: str) -> tuple[str, str]:
    """NAMESPACE/NAME of a pod. Raises Misconfigured."""
    namespace, slash, name = text.partition("/")
    if not slash or not is_dns_label(namespace) or not is_dns_subdomain(name):
        raise Misconfigured(f"{text[:80]!r} does not name a pod.", "Write it as NAMESPACE/NAME, such as web/api-0.")
    return namespace, name


def namespace(name: str) -> str:
    """The namespace of HYDATIS itself. Raises Misconfigured."""
    if not is_dns_label(name):
        raise Misconfigured(
            f"--namespace {name[:80]!r} cannot be a namespace.",
            "Use at most 63 lower-case letters, digits and '-', with a letter or digit at both ends.",
        )
    return name


def bind_concurrency(number: int) -> int:
    """How many binds may be on their way. Raises Misconfigured."""
    if not 1 <= number <= MOST_BIND_CONCURRENCY:
        raise Misconfigured(
            f"--bind-concurrency {number} is out of range.", f"Pass a number from 1 to {MOST_BIND_CONCURRENCY}."
        )
    return number


def watch_silence(seconds: float) -> float:
    """How long a watch may say nothing; bookmarks come about once a minute. Raises Misconfigured."""
    if not 1.0 <= seconds <= 3600.0:
        raise Misconfigured(f"--watch-silence {seconds:g} is out of range.", "Pass seconds from 1 to 3600.")
    return seconds


def volume_bind_timeout(seconds: float) -> float:
    """How long a pod waits for its volumes. Raises Misconfigured."""
    if not 1.0 <= seconds <= 86_400.0:
        raise Misconfigured(f"--volume-bind-timeout {seconds:g} is out of range.", "Pass seconds from 1 to 86400.")
    return seconds


def seed(number: int | None) -> int | None:
    """A seed for tie-breaks and jitter. Raises Misconfigured."""
    if number is not None and number < 0:
        raise Misconfigured(f"--seed {number} is negative.", "Pass a number from 0.")
    return number
