"""The check at the end of a run: a fast scheduler that places wrongly has not won anything.

Called by a run. It recounts from the API server's own objects.
"""

from collections.abc import Set
from typing import Any

from hydatis.sandbox.requesting import ApiServer
from hydatis.simulations.recounting import overcommitments

_MOST_NAMED = 3


def check(
    api: ApiServer, namespace: str, rebound: Set[str], created: Set[str], displaced: Set[str] = frozenset()
) -> list[str]:
    """Name what is wrong: pods that vanished, that have no node, that were seen on two, and nodes over their
    allocatable.

    Args:
        api: the API server the pods and nodes are read from.
        namespace: where those pods are; the nodes' sums are over all namespaces.
        rebound: names of pods the watch saw on more than one node.
        created: uids of all pods the load created.
        displaced: uids of those that had a node and rightly made way for others.

    """
    everywhere: list[dict[str, Any]] = api.call("GET", "/api/v1/pods")["items"]
    pods = [pod for pod in everywhere if pod["metadata"]["namespace"] == namespace]
    nodes: list[dict[str, Any]] = api.call("GET", "/api/v1/nodes")["items"]
    bound = {pod["metadata"]["uid"] for pod in pods if pod["spec"].get("nodeName")}
    problems = []
    if pending := created - bound - displaced:
        problems.append(f"{len(pending)} of {len(created)} pods have no node at the end")
    if strangers := bound - created:
        problems.append(f"{len(strangers)} bound pods were not created by this run")
    if rebound:
        problems.append(f"{len(rebound)} pods were seen on two nodes: {_some(sorted(rebound))}")
    if over := overcommitments(nodes, everywhere):
        problems.append(f"{len(over)} overcommitments: {_some([str(one) for one in over])}")
    return problems


def _some(texts: list[str]) -> str:
    return "; ".join(texts[:_MOST_NAMED]) + ("; …" if len(texts) > _MOST_NAMED else "")
