"""Gets the weights of a model from where its MLModel says they are: the object itself, ConfigMaps or a URL.

Nothing is unpacked here and nothing is judged: what came is known by its digest later on. Invariants: never more than
`MOST_PACKED_BYTES` are read; a URL leads to http and https alone and never from https to http; what an error tells of
a URL leaves out its user and its query, which may be secrets.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from hydatis.operator.connection import Connection
from hydatis.operator.errors import NotFound, OperatorError
from hydatis.scheduler.models.model_spec import ConfigMapKey, ModelSpec
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import GZIP_MAGIC, MOST_PACKED_BYTES, Weights, decode_base64

FETCH_SECONDS = 60.0
MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class WeightsMissing(Exception):  # noqa: N818 - named after what happened, as the condition's reason is
    """The weights are not to be had now; they may be later. `message` names the field and the remedy."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message


async def get_weights(spec: ModelSpec, connection: Connection, namespace: str) -> Weights:
    """Get the weights; ConfigMaps are those of this namespace. Raises WeightsMissing, and ModelRefused for text that
    is not base64.
    """
    if spec.config_maps:
        path = "spec.weights.configMaps"
        chunks: list[bytes] = []
        for index, key in enumerate(spec.config_maps):
            chunks.append(await _chunk(key, connection, namespace, f"{path}[{index}]"))
            _check_size(sum(map(len, chunks)), path)
        return Weights(tuple(chunks), True, path)
    if spec.url:
        data = await _fetch(URL(spec.url))
        return Weights((data,), data.startswith(GZIP_MAGIC), "spec.weights.url")
    path = "spec.weights.inline"
    return Weights((decode_base64(spec.inline, path),), True, path)


async def _chunk(key: ConfigMapKey, connection: Connection, namespace: str, path: str) -> bytes:
    where = f"{path} names the ConfigMap {namespace}/{key.name}"
    try:
        found: Mapping[str, Any] = await connection.get(
            f"/api/v1/namespaces/{quote(namespace)}/configmaps/{quote(key.name)}", resource="configmaps"
        )
    except NotFound:
        raise WeightsMissing("ConfigMapMissing", f"{where}, which does not exist: create it") from None
    except OperatorError as error:
        raise WeightsMissing("ConfigMapUnreadable", f"{where}, which cannot be read: {error}") from None
    text = (found.get("binaryData") or {}).get(key.key) or (found.get("data") or {}).get(key.key)
    if not text:
        raise WeightsMissing(
            "ConfigMapMissing", f"{where}, which has no key {key.key!r}: name one of its keys, or add this one"
        )
    return decode_base64(text, f"{path} ({namespace}/{key.name}, key {key.key})")


async def _fetch(url: URL) -> bytes:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    headers = {"Accept-Encoding": "identity", "User-Agent": "hydatis"}
    try:
        # Nothing is decoded on the way: a few bytes could become many.
        async with aiohttp.ClientSession(
            timeout=timeout, headers=headers, trust_env=True, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            for _ in range(MOST_REDIRECTS + 1):
                async with session.get(url, allow_redirects=False) as response:
                    if response.status in _REDIRECTS:
                        url = _redirected(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise _not_fetched(url, f"the answer is {response.status}")
                    return await _read(response.content)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        detail = "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise _not_fetched(url, detail.splitlines()[0][:200]) from None
    raise _not_fetched(url, f"there are more than {MOST_REDIRECTS} redirects")


async def _read(content: aiohttp.StreamReader) -> bytes:
    data = bytearray()
    async for chunk in content.iter_any():
        data += chunk
        _check_size(len(data), "spec.weights.url")
    return bytes(data)


def _redirected(url: URL, location: str) -> URL:
    target = url.join(URL(location)) if location else url
    if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme != "https") or target == url:
        raise _not_fetched(url, f"it redirects to {_shown(target)}")
    return target


def _check_size(size: int, path: str) -> None:
    if size > MOST_PACKED_BYTES:
        raise ModelRefused(
            Refusal.TOO_LARGE, f"{path} has more than {MOST_PACKED_BYTES // 2**20} MiB: use a smaller model"
        )


def _not_fetched(url: URL, problem: str) -> WeightsMissing:
    return WeightsMissing(
        "NotFetched",
        f"spec.weights.url cannot be fetched from {_shown(url)} ({problem}): "
        "check that HYDATIS can reach it, or hold the weights in ConfigMaps",
    )


def _shown(url: URL) -> str:
    return f"{url.scheme}://{url.host or ''}{url.path}"[:200]
