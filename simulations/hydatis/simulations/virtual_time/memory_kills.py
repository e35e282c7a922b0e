"""Which pods are killed when a node runs out of memory.

Called by the running pods at each step. The kernel kills the process with the highest score until the rest fits: its
share of the node's memory in thousandths plus an adjustment that the kubelet gives it
(https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior).
"""

from collections.abc import Sequence

from hydatis.simulations.virtual_time.workload import GUARANTEED, Owner

_GUARANTEED = -997
_BEST_EFFORT = 1000
_WHOLE = 1000


def oom_adjustment(owner: Owner, capacity_mib: float) -> int:
    """Return the kubelet's `oom_score_adj` of an owner's pods on a node of that capacity: the higher, the earlier
    killed (pkg/kubelet/qos/policy.go, GetContainerOOMScoreAdjust).
    """
    if owner.qos == GUARANTEED:
        return _GUARANTEED
    if owner.best_effort:
        return _BEST_EFFORT
    adjustment = _WHOLE - int(_WHOLE * owner.memory_mib / capacity_mib)
    return min(max(adjustment, _WHOLE + _GUARANTEED), _BEST_EFFORT - 1)


def victims(owners: Sequence[Owner], used_mib: Sequence[float], capacity_mib: float, limit_mib: float) -> list[int]:
    """Return which pods of a node are killed, as positions, the first killed first.

    `owners` and `used_mib` have one entry a pod of the node, which has `capacity_mib` and may use `limit_mib`. Of equal
    scores the last pod goes first.
    """
    over = sum(used_mib) - limit_mib
    if over <= 0:
        return []
    scores = [
        _WHOLE * used / capacity_mib + oom_adjustment(owner, capacity_mib)
        for owner, used in zip(owners, used_mib, strict=True)
    ]
    killed = []
    for position in sorted(range(len(owners)), key=lambda at: (scores[at], at), reverse=True):
        if over <= 0:
            break
        killed.append(position)
        over -= used_mib[position]
    return killed
