"""Whole clusters: nodes, what runs on them, and the pods to judge."""

from random import Random

from hydatis.sandbox.verifying.cases import Cluster, Manifest
from hydatis.sandbox.verifying.generating import (
    containers,
    crowding,
    features,
    images,
    neighbours,
    priorities,
    selectors,
    surroundings,
    taints,
    volumes,
)
from hydatis.sandbox.verifying.generating.chance import Feature, add_features
from hydatis.sandbox.verifying.generating.quantities import allocatable
from hydatis.sandbox.verifying.generating.surroundings import CANDIDATES, bound_uid, candidate_uid

NODE_FEATURES = (
    Feature(0.8, selectors.node_labels),
    Feature(0.5, taints.taints),
    Feature(0.08, taints.cordon),
    Feature(0.4, images.held_images),
    Feature(0.6, features.declared_features),
    Feature(0.5, volumes.zone_labels),
)
POD_FEATURES = (
    Feature(0.4, neighbours.namespace),
    Feature(0.85, neighbours.labels),
    Feature(0.4, neighbours.owner),
    Feature(0.12, neighbours.pod_affinity),
    Feature(0.12, neighbours.pod_anti_affinity),
    Feature(0.15, containers.more_containers),
    Feature(0.15, containers.init_containers),
    Feature(0.06, containers.overhead),
    Feature(0.06, containers.pod_level_resources),
    Feature(0.2, containers.host_ports),
    Feature(0.7, images.wanted_images),
    Feature(0.05, images.image_volume),
    Feature(0.06, features.needed_features),
    Feature(0.2, volumes.claims),
    Feature(0.08, volumes.ephemeral),
    Feature(0.1, volumes.disks),
    Feature(0.1, volumes.plain),
    Feature(0.8, priorities.priority),
)
"""Of bound pods and candidates alike."""
BOUND_FEATURES = (
    Feature(0.12, containers.resized_in_place),
    Feature(0.9, priorities.started),
    Feature(0.06, priorities.terminating),
)
CANDIDATE_FEATURES = (
    Feature(0.25, neighbours.spread_constraints),
    Feature(0.15, selectors.node_selector),
    Feature(0.2, selectors.required_node_affinity),
    Feature(0.06, selectors.named_nodes),
    Feature(0.3, selectors.preferred_node_affinity),
    Feature(0.5, taints.tolerations),
    Feature(0.05, taints.tolerates_cordon),
    Feature(0.03, selectors.wanted_node),
    Feature(0.06, priorities.preemption_policy),
    Feature(0.15, priorities.nominated_node),
)
_LARGE = 0.01
_LARGE_NODES = 60
_EMPTY = 0.005
_MOST_NODES = 8
_MOST_BOUND = 4
_CROWDED = 0.1
_NOMINATING = 0.4
_MOST_NOMINATED = 3


def make_cluster(seed: int, number: int) -> Cluster:
    """Make the cluster of this number; it depends on nothing but its number and the seed."""
    random = Random(f"{seed}/{number}")  # noqa: S311  reproducible on purpose
    nodes = [_node(random, f"n{position}") for position in range(_node_count(random))]
    bound = [pod for position, node in enumerate(nodes) for pod in _bound_pods(random, position, node)]
    candidates = [_candidate(random, candidate_uid(position)) for position in range(CANDIDATES)]
    count = random.randint(1, _MOST_NOMINATED) if random.random() < _NOMINATING else 0
    nominated = [_nominated_pod(random, f"nominated-{position}") for position in range(count)]
    crowded = Random(f"{seed}/{number}/crowded")  # noqa: S311  apart, so that other clusters do not depend on it
    if crowded.random() < _CROWDED:
        crowding.crowd(crowded, nodes, bound, candidates)
    objects = surroundings.surroundings(seed, number)
    volumes.keep_claims_for_one(bound, nominated, objects)
    return Cluster(number, tuple(nodes), tuple(bound), tuple(candidates), objects, tuple(nominated))


def _node_count(random: Random) -> int:
    drawn = random.random()
    if drawn < _EMPTY:
        return 0
    return _LARGE_NODES if drawn < _EMPTY + _LARGE else random.randint(1, _MOST_NODES)


def _node(random: Random, name: str) -> Manifest:
    node: Manifest = {
        "metadata": {"name": name, "labels": {selectors.HOSTNAME: name}},
        "spec": {},
        "status": {"allocatable": allocatable(random)},
    }
    add_features(random, node, NODE_FEATURES)
    return node


def _pod(random: Random, uid: str) -> Manifest:
    pod: Manifest = {
        "metadata": {"name": f"pod-{uid}", "namespace": "default", "uid": uid},
        "spec": {"schedulerName": "hydatis", "containers": [containers.main_container(random)]},
        "status": {},
    }
    add_features(random, pod, POD_FEATURES)
    return pod


def _bound_pods(random: Random, position: int, node: Manifest) -> list[Manifest]:
    name = node["metadata"]["name"]
    pods = [_bound_pod(random, bound_uid(position, place), name) for place in range(random.randint(0, _MOST_BOUND))]
    taken: set[tuple[str, int]] = set()
    for pod in pods:
        containers.leave_taken_ports(pod, taken)
    return pods


def _bound_pod(random: Random, uid: str, node: str) -> Manifest:
    pod = _pod(random, uid)
    pod["spec"]["nodeName"] = node
    pod["status"]["phase"] = "Running"
    add_features(random, pod, BOUND_FEATURES)
    return pod


def _nominated_pod(random: Random, uid: str) -> Manifest:
    pod = _pod(random, uid)
    pod["status"]["phase"] = "Pending"
    priorities.nominated_node(random, pod)
    priorities.gate(pod)
    return pod


def _candidate(random: Random, uid: str) -> Manifest:
    pod = _pod(random, uid)
    pod["status"]["phase"] = "Pending"
    add_features(random, pod, CANDIDATE_FEATURES)
    priorities.keep_to_itself(pod)
    return pod
