"""The rights that ship: each is needed, each is missed in a way that somebody notices, and there are no others."""

import base64
import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import yaml

from hydatis.operator.owner_memory import NAME
from hydatis.operator.preflight import PERMISSIONS
from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.faults.actions import Answer, LoseAnswer
from hydatis.sandbox.faults.audit import AuditLog, Right
from hydatis.sandbox.faults.plan import Rule
from hydatis.sandbox.faults.proxy import FaultProxy
from hydatis.sandbox.faults.scene import Scene, Shape
from hydatis.sandbox.faults.storage_scene import StorageScene
from hydatis.sandbox.faults.verdict import is_unschedulable
from hydatis.sandbox.installing import SERVICE_ACCOUNT
from hydatis.sandbox.operator_process import OperatorProcess
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest
from hydatis.scheduler.models.schemas import KNOWN_SCHEMAS
from hydatis.scheduler.models.weights import pack
from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_archive import write
from hydatis.scheduler.owner_history import OwnerHistory
from hydatis.scheduler.testing_onnx import linear

START = Callable[..., OperatorProcess]
SYSTEM_NAMESPACE = "hydatis-system"
USER = f"system:serviceaccount:{SYSTEM_NAMESPACE}:{SERVICE_ACCOUNT}"
CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/hydatis"
OWN_ROLE = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/roles/hydatis"
"""For what the operator does in its own namespace alone."""
RIGHTS = [
    Right(needed.verb, needed.group, f"{needed.resource}/{needed.subresource}".rstrip("/")) for needed in PERMISSIONS
]
OWN_RIGHTS = [right for right, needed in zip(RIGHTS, PERMISSIONS, strict=True) if needed.own_namespace]
"""A test holds them to the role that Helm renders; only the ids of the tests below come from here."""
EVERYTHING = frozenset(
    {"displaced", "bound", "Scheduled", "FailedScheduling", "condition", "series", "policy", "volume", "claim", "model"}
    | {"owners"}
)
MISSED_WITHOUT = {
    Right("get", "", "pods"): {"Scheduled"},
    Right("create", "", "pods/binding"): {"bound", "Scheduled"},
    Right("patch", "", "pods/status"): {"condition", "displaced"},
    Right("delete", "", "pods"): {"displaced"},
    Right("get", "", "persistentvolumes"): {"volume"},
    Right("patch", "", "persistentvolumes"): {"volume"},
    Right("get", "", "persistentvolumeclaims"): {"claim"},
    Right("patch", "", "persistentvolumeclaims"): {"claim"},
    Right("create", "events.k8s.io", "events"): {"Scheduled", "FailedScheduling", "series"},
    Right("patch", "events.k8s.io", "events"): {"series"},
    Right("watch", "hydatis.io", "mlschedulerpolicies"): {"policy"},
    Right("patch", "hydatis.io", "mlschedulerpolicies/status"): {"policy"},
    Right("patch", "hydatis.io", "mlmodels/status"): {"model"},
    Right("get", "", "configmaps"): {"model", "owners"},
    Right("create", "", "configmaps"): {"owners"},
    Right("patch", "", "configmaps"): {"owners"},
}
"""What does not happen without a right; without any other one, nothing does."""
MODELS = "/apis/hydatis.io/v1alpha1/mlmodels"
CONFIG_MAPS = f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps"
ARCHIVE = (NAME, f"{NAME}-a-0", f"{NAME}-b-0")
AT_THE_END = frozenset({"series", "owners"})
"""What is sent at the latest when the operator ends."""
ENOUGH_FAILURES = 3
"""Of the two pods with volumes, of which nobody provisions one: so at least one pod is told the same twice."""
LOW_PRIORITY = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "rbac-low"},
    "value": -10,
}
PREFLIGHT_BLINDED = Rule(
    "blind",
    Answer(
        201,
        body={
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {},
            "status": {"allowed": True},
        },
    ),
    resource="selfsubjectaccessreviews",
)
"""The operator starts without a right only if nobody tells it."""


def rights_of(rules: list[dict[str, Any]]) -> list[Right]:
    return [
        Right(verb, group, resource)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


def allowed(control_plane: ControlPlane, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
    if right in OWN_RIGHTS:
        attributes["namespace"] = SYSTEM_NAMESPACE
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": USER, "resourceAttributes": attributes},
    }
    answer = control_plane.api.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


@contextmanager
def taken_away(scene: Scene, right: Right) -> Iterator[None]:
    """The live role without that one verb on that one resource."""
    api = scene.control_plane.api
    path = OWN_ROLE if right in OWN_RIGHTS else CLUSTER_ROLE
    role = api.call("GET", path)
    rest = [one for one in rights_of(role["rules"]) if one != right]
    rules = [{"apiGroups": [one.group], "resources": [one.resource], "verbs": [one.verb]} for one in rest]
    api.call("PUT", path, {**role, "rules": rules})
    try:
        scene.wait_until(lambda: not allowed(scene.control_plane, right), f"{right} is taken away", 10.0)
        yield
    finally:
        current = api.call("GET", path)
        api.call("PUT", path, {**current, "rules": role["rules"]})
        scene.wait_until(lambda: allowed(scene.control_plane, right), f"{right} is granted again", 10.0)


@pytest.fixture
def small_scene(make_scene: Callable[[Shape], Scene]) -> Iterator[Scene]:
    scene = make_scene(Shape(nodes=1, slots=4))
    yield scene
    scene.control_plane.kubectl("delete", "mlsp,mlm", scene.name, "--ignore-not-found")
    scene.control_plane.kubectl(
        "delete", "configmap", *ARCHIVE, scene.name, "-n", SYSTEM_NAMESPACE, "--ignore-not-found"
    )


@pytest.fixture
def storage(small_scene: Scene) -> Iterator[StorageScene]:
    """A pod that needs the scene's one volume, and one whose volume is to be provisioned, which nobody does."""
    storage = StorageScene(small_scene, "hydatis")
    local, dynamic = storage.storage_class(), storage.storage_class("nobody.example.com")
    storage.volume(local, 0)
    storage.claim("there", local)
    storage.claim("to-be-made", dynamic)
    for claim in ("there", "to-be-made"):
        storage.pod(f"with-{claim}", claim)
    yield storage
    storage.clear()


def observe(storage: StorageScene, proxy: FaultProxy, start: START, expected: frozenset[str]) -> frozenset[str]:
    """Which of `EVERYTHING` happens: waits for what is expected, then looks at all of it."""
    scene = storage.scene
    put_archive(scene)
    # Its outcome is unknown to the operator, which is what it reads pods for.
    proxy.plan.add(PREFLIGHT_BLINDED, Rule("lost", LoseAnswer(), resource="pods/binding", times=1))
    scene.create("/apis/scheduling.k8s.io/v1/priorityclasses", [LOW_PRIORITY])
    # It takes up what no other pod here asks for, until it makes way for one that does.
    disk = {"requests": {"ephemeral-storage": "10Gi"}}
    low = scene.pod("low", resources=disk, nodeName=scene.node_name(0), priorityClassName="rbac-low")
    scene.burst([low]).join()
    scene.burst([scene.pod("fits"), scene.pod("urgent", resources=disk)]).join()
    scene.burst([scene.pod("too-large", resources={"requests": {"cpu": "900"}})]).join()
    try:
        operator = start("--volume-bind-timeout", "1", through=proxy, deadline_seconds=12.0)
    except SandboxError:
        return frozenset()
    if not expected:
        scene.wait_until(lambda: not operator.alive(), "the operator ends", 15.0)
        return frozenset()
    # Created before, the policy could be found by the list that every watch begins with.
    scene.wait_until(lambda: proxy.plan.calls("watch", "mlschedulerpolicies") > 0, "policies are to be watched", 10.0)
    policy = {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLSchedulerPolicy", "metadata": {"name": scene.name}}
    scene.control_plane.api.call("POST", "/apis/hydatis.io/v1alpha1/mlschedulerpolicies", {**policy, "spec": {}})
    create_model(scene)
    scene.wait_until(lambda: happened(storage) >= expected - AT_THE_END, f"all of {sorted(expected)} happens", 20.0)
    # Another attempt with the same result makes the Event a series, which is sent at the latest when the operator ends.
    failures = 'hydatis_bind_outcomes_total{outcome="volumes_not_bound"}'
    scene.wait_until(lambda: operator.metrics()[failures] >= ENOUGH_FAILURES, "a pod is told the same again", 20.0)
    operator.stop()
    return happened(storage)


def put_archive(scene: Scene) -> None:
    """What an operator before knew of one owner."""
    api = scene.control_plane.api
    scene.control_plane.kubectl("delete", "configmaps", "-n", SYSTEM_NAMESPACE, *ARCHIVE, "--ignore-not-found")
    history = OwnerHistory()
    number = history.hold(Owner("shop", "Deployment", "api"))
    history.learn(np.array([number]), np.full((2, 1), 0.5), np.array([0.0]), np.array([1.0]))
    data = write(history.remembered(0.0), time.time())
    chunk = {"metadata": {"name": ARCHIVE[1]}, "binaryData": {"archive": base64.b64encode(data).decode()}}
    api.call("POST", CONFIG_MAPS, chunk)
    index = {"slot": "a", "chunks": "1", "sha256": hashlib.sha256(data).hexdigest()}
    api.call("POST", CONFIG_MAPS, {"metadata": {"name": NAME}, "data": index})


def create_model(scene: Scene) -> None:
    """A model whose weights are in a ConfigMap."""
    api = scene.control_plane.api
    schema, width = next(iter(KNOWN_SCHEMAS.get(ModelKind.LOAD, {"0" * 64: 3}).items()))
    data = linear([1.0] * width)
    config_map = {"metadata": {"name": scene.name}, "data": {"weights": pack(data)}}
    api.call("POST", f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/configmaps", config_map)
    model = inline_manifest(data, name=scene.name, kind=ModelKind.LOAD, version="1", schema_hash=schema)
    model["spec"]["weights"] = {"configMaps": [{"name": scene.name}]}
    api.call("POST", MODELS, model)


def happened(storage: StorageScene) -> frozenset[str]:
    scene = storage.scene
    failed = scene.events(reason="FailedScheduling", pod="too-large")
    told = scene.events(reason="FailedScheduling")
    policy = scene.control_plane.api.call("GET", f"/apis/hydatis.io/v1alpha1/mlschedulerpolicies/{scene.name}")
    conditions = policy.get("status", {}).get("conditions", [])
    models = scene.control_plane.api.call("GET", MODELS)["items"]
    of_model = [
        entry
        for model in models
        if model["metadata"]["name"] == scene.name
        for entry in model.get("status", {}).get("conditions", [])
    ]
    seen = {
        "displaced": "low" not in {pod["metadata"]["name"] for pod in scene.pods()},
        "bound": bool(scene.pod_named("fits")["spec"].get("nodeName")),
        "Scheduled": bool(scene.events(reason="Scheduled", pod="fits")),
        "FailedScheduling": bool(failed),
        "condition": is_unschedulable(scene.pod_named("too-large")),
        "series": any((event.get("series") or {}).get("count", 0) >= 2 for event in told),
        "volume": bool(storage.volume_of("there")),
        "claim": bool(storage.selected_node("to-be-made")),
        "policy": any((entry["type"], entry["status"]) == ("Ready", "True") for entry in conditions),
        # It was read from the first of two places, and written to the other.
        "owners": scene.control_plane.api.call("GET", f"{CONFIG_MAPS}/{NAME}")["data"]["slot"] == "b",
        "model": any((entry["type"], entry["status"]) == ("Verified", "True") for entry in of_model),
    }
    return frozenset(name for name, true in seen.items() if true)


def test_with_the_role_that_ships_everything_happens_and_every_right_of_it_is_used(
    storage: StorageScene, proxy: FaultProxy, start_operator: START, audit: AuditLog
) -> None:
    since = datetime.now(UTC)
    assert observe(storage, proxy, start_operator, EVERYTHING) == EVERYTHING
    api = storage.scene.control_plane.api
    granted = [right for path in (CLUSTER_ROLE, OWN_ROLE) for right in rights_of(api.call("GET", path)["rules"])]
    assert sorted(audit.rights_used(USER, since)) == sorted(granted)


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_without_one_right_something_is_missing_that_a_user_sees(
    right: Right, storage: StorageScene, proxy: FaultProxy, start_operator: START
) -> None:
    expected = EVERYTHING - MISSED_WITHOUT.get(right, EVERYTHING)
    with taken_away(storage.scene, right):
        assert observe(storage, proxy, start_operator, expected) == expected


@pytest.mark.parametrize("right", RIGHTS, ids=str)
def test_without_one_right_the_operator_ends_with_a_sentence_that_names_it(
    right: Right, small_scene: Scene, kubeconfig: str
) -> None:
    with taken_away(small_scene, right):
        command = [
            sys.executable,
            "-m",
            "hydatis.operator",
            "run",
            "--kubeconfig",
            kubeconfig,
            "--listen",
            "127.0.0.1:0",
        ]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    if right in OWN_RIGHTS:
        remedy = "Bind it to the chart's ClusterRole and Role, and name the namespace of the release with --namespace."
        named = f"{right} in the namespace {SYSTEM_NAMESPACE}"
    else:
        remedy, named = "Bind it to the chart's ClusterRole.", str(right)
    assert sentence == f"error: This identity lacks the permission to {named}. {remedy}"


def test_the_chart_grants_those_rights_and_no_others(small_scene: Scene) -> None:
    rendered = small_scene.control_plane.helm("get", "manifest", "hydatis", "--namespace", SYSTEM_NAMESPACE)
    objects = [document for document in yaml.safe_load_all(rendered) if document]
    roles = {one["kind"]: one for one in objects if one["kind"] in ("ClusterRole", "Role")}
    assert sorted(rights_of(roles["Role"]["rules"])) == sorted(OWN_RIGHTS)
    assert roles["Role"]["metadata"]["namespace"] == SYSTEM_NAMESPACE
    assert sorted(rights_of(roles["ClusterRole"]["rules"])) == sorted(set(RIGHTS) - set(OWN_RIGHTS))
    for kind, path in (("ClusterRole", CLUSTER_ROLE), ("Role", OWN_ROLE)):
        role = roles[kind]
        live = small_scene.control_plane.api.call("GET", path)
        assert rights_of(live["rules"]) == rights_of(role["rules"])
        assert "aggregationRule" not in role
        assert not any("nonResourceURLs" in rule for rule in role["rules"])
        text = json.dumps(role["rules"])
        assert "*" not in text
        assert "secrets" not in text
    rules = roles["ClusterRole"]["rules"]
    assert {right.verb for right in rights_of(rules) if right.resource.startswith("nodes")} == {"list", "watch"}

    bindings = {one["kind"]: one for one in objects if one["kind"] in ("ClusterRoleBinding", "RoleBinding")}
    assert sorted(bindings) == ["ClusterRoleBinding", "RoleBinding"]
    subject = {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": SYSTEM_NAMESPACE}
    for kind, role in roles.items():
        assert bindings[f"{kind}Binding"]["roleRef"]["name"] == role["metadata"]["name"]
        assert bindings[f"{kind}Binding"]["subjects"] == [subject]
