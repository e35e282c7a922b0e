"""Who a pod belongs to: all pods of one owner are made from one template, and so use resources alike.

An owner is the pod's controller. A Deployment's pods belong to a new ReplicaSet after each rollout and a CronJob's to a
new Job each time, so the part that changes is taken off the name. A pod without a controller belongs with the pods of
its namespace that have the same labels and request the same.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from hydatis.scheduler.pod_identity import PodIdentity
from hydatis.scheduler.requirements import Requirements

_HASH_LABEL = "pod-template-hash"
"""The Deployment controller appends its value to the ReplicaSet's name (kubernetes pkg/controller/deployment/sync.go,
getNewReplicaSet).
"""
_CRON_JOB_SUFFIX = re.compile(r"-\d{8}$")
"""The CronJob controller appends the minutes since 1970 (kubernetes pkg/controller/cronjob/utils.go, getJobName)."""
_DIGEST_BYTES = 8


class Owner(NamedTuple):
    """Names an owner."""

    namespace: str
    kind: str
    """The controller's kind; Deployment for a ReplicaSet of one; empty for pods without a controller."""
    name: str


def controller_reference(metadata: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return kind and name of the pod's controller as pods of all rollouts and runs share it; None: it has none."""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            kind, name = reference.get("kind", ""), reference.get("name", "")
            if kind == "ReplicaSet":
                suffix = f"-{(metadata.get('labels') or {}).get(_HASH_LABEL, '')}"
                if len(suffix) > 1 and name.endswith(suffix):
                    return "Deployment", name.removesuffix(suffix)
            elif kind == "Job":
                return kind, _CRON_JOB_SUFFIX.sub("", name)
            return kind, name
    return None


def owner_of(controller: tuple[str, str] | None, identity: PodIdentity, requirements: Requirements) -> Owner:
    """Return the owner of a pod with this controller, as `controller_reference` gives it."""
    if controller is not None:
        return Owner(identity.namespace, *controller)
    alike = orjson.dumps([identity.labels, requirements.requests_by_name], option=orjson.OPT_SORT_KEYS)
    return Owner(identity.namespace, "", blake2b(alike, digest_size=_DIGEST_BYTES).hexdigest())
