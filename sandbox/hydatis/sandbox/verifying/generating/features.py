"""Features of the kubelet that pods need and nodes declare."""

from random import Random

from hydatis.sandbox.verifying.cases import Manifest
from hydatis.sandbox.verifying.generating.chance import few

_DECLARED = (
    "ExtendWebSocketsToKubelet",
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
    "UnknownToThisVersion",
    "UserNamespacesHostNetworkSupport",
    "VolumeBindMountOptions",
)


def declared_features(random: Random, node: Manifest) -> None:
    """Let the node declare features, in the order that the API server asks for."""
    node["status"]["declaredFeatures"] = sorted(random.sample(_DECLARED, random.randint(1, len(_DECLARED))))


def needed_features(random: Random, pod: Manifest) -> None:
    """Let the pod need some, or state fields that come close to it."""
    spec = pod["spec"]
    for add in few(random, lambda chooser: chooser.choice((_users, _restarts, _mounts)), 2):
        add(random, spec)


def _users(random: Random, spec: Manifest) -> None:
    spec["hostNetwork"] = random.random() < 0.8
    spec["hostUsers"] = random.random() < 0.2


def _restarts(random: Random, spec: Manifest) -> None:
    action = "Restart" if random.random() < 0.2 else "RestartAllContainers"
    rules = [{"action": action, "exitCodes": {"operator": "In", "values": [42]}}]
    _some_container(random, spec).update(restartPolicy="Never", restartPolicyRules=rules)


def _mounts(random: Random, spec: Manifest) -> None:
    options = [] if random.random() < 0.2 else ["noexec"]
    mounts = [
        {"name": "plain", "mountPath": "/plain"},
        {"name": "data", "mountPath": "/data", "bindMountOptions": options},
    ]
    _some_container(random, spec)["volumeMounts"] = mounts


def _some_container(random: Random, spec: Manifest) -> Manifest:
    container: Manifest = random.choice([*spec["containers"], *spec.get("initContainers", ())])
    return container
