"""Cuts a case on which the two schedulers disagree down to what the disagreement needs.

Greedy: take away one part after the other, nodes first and single fields last, keep what still disagrees, and start
again until nothing more can go.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hydatis.sandbox.verifying.cases import Cluster, Manifest

_MOST_ATTEMPTS = 2000

_KEPT = frozenset(
    {
        "metadata",
        "spec",
        "status",
        "name",
        "namespace",
        "uid",
        "containers",
        "kind",
        "apiVersion",
        "weight",
        "preference",
        "schedulerName",
        "capacity",
    }
)
"""Fields without which an object, or a part of one, is none. A CSIStorageCapacity that names its largest volume and no
capacity ends kube-scheduler.
"""

_ENTRIES_STAY_WHOLE = frozenset({"matchExpressions", "matchFields", "taints", "tolerations", "ports", "conditions"})
"""Lists whose entries go as a whole or not at all: without one of its fields an entry means something else."""

Path = tuple[Any, ...]


def shrink(case: Cluster, still_disagrees: Callable[[Cluster], bool]) -> Cluster:
    """Return a smaller case for which `still_disagrees` holds; `case` has one candidate and must disagree."""
    attempts = 0
    smaller = True
    while smaller and attempts < _MOST_ATTEMPTS:
        smaller = False
        for attempt in _simpler(case):
            attempts += 1
            if attempts > _MOST_ATTEMPTS:
                break
            if still_disagrees(attempt):
                case, smaller = attempt, True
                break
    return case


def _simpler(case: Cluster) -> Iterator[Cluster]:
    """Yield the case with one part less, the biggest parts first."""
    yield from (replace(case, objects=fewer) for fewer in _with_a_stretch_less(case.objects))
    if len(case.pods) > 1:
        yield replace(case, pods=())
    for position, node in enumerate(case.nodes):
        name = node["metadata"]["name"]
        pods = tuple(pod for pod in case.pods if pod["spec"]["nodeName"] != name)
        yield replace(case, nodes=_without(case.nodes, position), pods=pods)
    for position in range(len(case.pods)):
        yield replace(case, pods=_without(case.pods, position))
    for position in range(len(case.nominated)):
        yield replace(case, nominated=_without(case.nominated, position))
    for position in range(len(case.objects)):
        yield replace(case, objects=_without(case.objects, position))
    yield from (replace(case, candidates=fewer) for fewer in _with_a_field_less(case.candidates))
    yield from (replace(case, pods=fewer) for fewer in _with_a_field_less(case.pods, bound=True))
    yield from (replace(case, nodes=fewer) for fewer in _with_a_field_less(case.nodes))
    yield from (replace(case, objects=fewer) for fewer in _with_a_field_less(case.objects))


def _with_a_stretch_less(manifests: tuple[Manifest, ...]) -> Iterator[tuple[Manifest, ...]]:
    """Yield all but one half, one quarter and so on: of hundreds of objects a case needs a handful."""
    size = len(manifests)
    while size > 1:
        for first in range(0, len(manifests), size):
            yield manifests[:first] + manifests[first + size :]
        size = -(-size // 2) if size > 2 else 1


def _with_a_field_less(manifests: tuple[Manifest, ...], *, bound: bool = False) -> Iterator[tuple[Manifest, ...]]:
    for position, manifest in enumerate(manifests):
        for path in _removable(manifest, bound=bound):
            yield (*manifests[:position], _removed(manifest, path), *manifests[position + 1 :])


def _without(items: tuple[Manifest, ...], position: int) -> tuple[Manifest, ...]:
    return items[:position] + items[position + 1 :]


def _removable(part: Any, *, bound: bool, path: Path = ()) -> Iterator[Path]:
    """Yield the paths that may be removed, outer ones before inner ones; a list keeps its last entry."""
    if isinstance(part, dict):
        for key, value in part.items():
            here = (*path, key)
            if key not in _KEPT and not (bound and here == ("spec", "nodeName")):
                yield here
            yield from _removable(value, bound=bound, path=here)
    elif isinstance(part, list):
        for position, value in enumerate(part):
            if len(part) > 1:
                yield (*path, position)
            if path[-1] not in _ENTRIES_STAY_WHOLE:
                yield from _removable(value, bound=bound, path=(*path, position))


def _removed(manifest: Manifest, path: Path) -> Manifest:
    changed = copy.deepcopy(manifest)
    part: Any = changed
    for key in path[:-1]:
        part = part[key]
    del part[path[-1]]
    return changed
