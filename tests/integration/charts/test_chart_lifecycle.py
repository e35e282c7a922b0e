"""The chart's life on a real API server: install, upgrade, uninstall, and install again, with the real Helm."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.scheduler.policy import API_VERSION, GROUP, KIND, PLURAL

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "hydatis"
NAMESPACE = "hydatis-system"
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:ml-scheduler-sa"
CRD = f"{PLURAL}.{GROUP}"


def policy(name: str, **spec: Any) -> str:
    return json.dumps({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec})


def install(control_plane: ControlPlane, *arguments: str, chart: Path = CHART, models: bool = False) -> str:
    flags = (
        "--namespace",
        NAMESPACE,
        "--create-namespace",
        "--timeout",
        "60s",
        "--set",
        f"models.install={str(models).lower()}",
    )
    return control_plane.helm("upgrade", "--install", "hydatis", str(chart), *flags, *arguments)


def fetch(control_plane: ControlPlane, *arguments: str) -> Any:
    return json.loads(control_plane.kubectl("get", *arguments, "-o", "json"))


def remove_everything(control_plane: ControlPlane) -> None:
    control_plane.helm("uninstall", "hydatis", "--namespace", NAMESPACE, "--ignore-not-found", "--wait")
    control_plane.kubectl("delete", "crd", CRD, "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def cluster(own_control_plane: ControlPlane) -> ControlPlane:
    remove_everything(own_control_plane)
    return own_control_plane


def test_an_install_makes_what_the_operator_needs(cluster: ControlPlane) -> None:
    notes = install(cluster, "--set", "replicas=0")
    assert "schedulerName: hydatis" in notes
    assert "PAUSED" in notes
    assert fetch(cluster, "serviceaccount", "ml-scheduler-sa", "-n", NAMESPACE)["metadata"]["name"] == "ml-scheduler-sa"
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD}")
    cluster.kubectl("apply", "-f", "-", stdin=policy("web", priority=1))
    assert fetch(cluster, "mlsp", "web")["spec"]["fallback"] == {"heuristic": "KubeScheduler"}


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        ("list", "pods", True),
        ("watch", "nodes", True),
        ("get", "pods", True),
        ("create", "pods/binding", True),
        ("patch", "pods/status", True),
        ("list", "namespaces", True),
        ("create", "events.events.k8s.io", True),
        ("patch", "events.events.k8s.io", True),
        ("watch", f"{PLURAL}.{GROUP}", True),
        ("patch", f"{PLURAL}.{GROUP}/status", True),
        ("patch", f"{PLURAL}.{GROUP}", False),
        ("delete", "pods", True),
        ("deletecollection", "pods", False),
        ("create", "pods", False),
        ("patch", "pods", False),
        ("patch", "nodes", False),
        ("get", "secrets", False),
        ("create", "serviceaccounts/token", False),
        ("create", "events", False),
    ],
)
def test_the_service_account_may_do_what_it_must_and_no_more(
    own_control_plane: ControlPlane, verb: str, resource: str, allowed: bool
) -> None:
    install(own_control_plane, "--set", "replicas=0")
    group, _, subresource = resource.partition("/")
    question = ["auth", "can-i", verb, group, "--as", ACCOUNT, "--all-namespaces"]
    if subresource:
        question.append(f"--subresource={subresource}")
    try:
        answer = own_control_plane.kubectl(*question)
    except SandboxError:
        answer = "no"
    assert answer.strip().startswith("yes" if allowed else "no")


def test_an_upgrade_with_other_values_changes_the_deployment_and_keeps_the_policies(cluster: ControlPlane) -> None:
    install(cluster, "--set", "replicas=0")
    cluster.kubectl("apply", "-f", "-", stdin=policy("web", priority=1))
    before = fetch(cluster, "mlsp", "web")
    install(cluster, "--set", "replicas=1", "--set", "schedulerNames={hydatis,second}", "--set", "podLabels.team=a")
    deployment = fetch(cluster, "deployment", "hydatis", "-n", NAMESPACE)["spec"]
    assert deployment["replicas"] == 1
    assert deployment["template"]["metadata"]["labels"]["team"] == "a"
    assert "second" in deployment["template"]["spec"]["containers"][0]["args"]
    after = fetch(cluster, "mlsp", "web")
    assert (after["metadata"]["uid"], after["spec"]) == (before["metadata"]["uid"], before["spec"])


def test_an_upgrade_brings_new_fields_of_a_definition_and_a_rollback_takes_them_back(
    cluster: ControlPlane, tmp_path: Path
) -> None:
    install(cluster, "--set", "replicas=0")
    cluster.kubectl("apply", "-f", "-", stdin=policy("web", priority=1))
    newer = tmp_path / "hydatis"
    shutil.copytree(CHART, newer)
    definition_file = newer / "definitions" / f"{CRD}.yaml"
    definition = yaml.safe_load(definition_file.read_text(encoding="utf-8"))
    root = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    root["properties"]["spec"]["properties"]["later"] = {"type": "string", "default": "arrived"}
    definition_file.write_text(yaml.safe_dump(definition), encoding="utf-8")
    install(cluster, "--set", "replicas=0", chart=newer)
    served = fetch(cluster, "crd", CRD)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert served["properties"]["later"] == {"type": "string", "default": "arrived"}
    assert fetch(cluster, "mlsp", "web")["spec"]["priority"] == 1
    cluster.helm("rollback", "hydatis", "1", "--namespace", NAMESPACE)
    served = fetch(cluster, "crd", CRD)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert "later" not in served["properties"]


@pytest.fixture
def with_definitions(cluster: ControlPlane) -> Iterator[ControlPlane]:
    """Serves the definitions already: nothing here runs a Deployment, for which `--wait` would wait."""
    install(cluster, "--set", "replicas=0")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", f"crd/{CRD}", f"crd/mlmodels.{GROUP}")
    yield cluster
    cluster.kubectl("delete", "mlm", "--all")


def shipped(control_plane: ControlPlane) -> dict[str, str]:
    """What there is of models and policies, with the uid."""
    found = fetch(control_plane, "mlm,mlsp")["items"]
    return {item["metadata"]["name"]: item["metadata"]["uid"] for item in found}


def test_models_that_exist_are_left_alone_by_upgrades_and_only_what_is_missing_is_made(
    with_definitions: ControlPlane, tmp_path: Path
) -> None:
    cluster = with_definitions
    install(cluster, "--set", "replicas=0", models=True)
    first = shipped(cluster)
    assert sorted(first) == ["anomaly-1", "default", "load-1", "placement-1"]
    assert fetch(cluster, "mlsp", "default")["spec"]["priority"] == -(2**31)
    cluster.kubectl("patch", "mlsp", "default", "--type=merge", "-p", '{"spec":{"mode":"Fallback"}}')

    newer = tmp_path / "hydatis"
    shutil.copytree(CHART, newer)
    later = (newer / "models" / "load.yaml").read_text(encoding="utf-8").replace("name: load-1", "name: load-2")
    (newer / "models" / "load.yaml").write_text(later, encoding="utf-8")
    install(cluster, "--set", "replicas=0", chart=newer, models=True)
    second = shipped(cluster)
    assert {name: second[name] for name in first} == first
    assert sorted(set(second) - set(first)) == ["load-2"]
    spec = fetch(cluster, "mlsp", "default")["spec"]
    assert (spec["mode"], spec["ensemble"]["load"]["model"]) == ("Fallback", "load-1")

    install(cluster, "--set", "replicas=0")
    cluster.helm("rollback", "hydatis", "1", "--namespace", NAMESPACE)
    cluster.helm("uninstall", "hydatis", "--namespace", NAMESPACE, "--wait")
    assert shipped(cluster) == second
    install(cluster, "--set", "replicas=0", models=True)
    assert shipped(cluster) == second


def test_a_release_with_models_is_well_below_what_helm_can_store(with_definitions: ControlPlane) -> None:
    install(with_definitions, "--set", "replicas=0", models=True)
    releases = fetch(with_definitions, "secrets", "-n", NAMESPACE, "-l", "owner=helm,status=deployed")["items"]
    # A Secret holds 1 MiB; its data are base64 of what Helm stores.
    (size,) = (len(base64.b64decode(release["data"]["release"])) for release in releases)
    assert size < 2**19, size


def test_a_second_release_is_refused_since_the_definitions_belong_to_the_first(cluster: ControlPlane) -> None:
    install(cluster, "--set", "replicas=0")
    with pytest.raises(SandboxError, match=r"invalid ownership metadata"):
        cluster.helm("install", "second", str(CHART), "--namespace", NAMESPACE, "--set", "replicas=0")


def test_an_uninstall_keeps_definition_and_policies_and_the_next_install_takes_them_over(cluster: ControlPlane) -> None:
    install(cluster, "--set", "replicas=0")
    cluster.kubectl("apply", "-f", "-", stdin=policy("web", priority=1))
    uid = fetch(cluster, "mlsp", "web")["metadata"]["uid"]
    cluster.helm("uninstall", "hydatis", "--namespace", NAMESPACE, "--wait")
    assert fetch(cluster, "mlsp", "web")["metadata"]["uid"] == uid
    for kind in ("deployment", "serviceaccount", "service", "clusterrole", "clusterrolebinding"):
        selector = ("-l", "app.kubernetes.io/name=hydatis", "--all-namespaces")
        assert fetch(cluster, kind, *selector)["items"] == [], f"a {kind} is left behind"
    install(cluster, "--set", "replicas=0")
    assert fetch(cluster, "mlsp", "web")["metadata"]["uid"] == uid


def test_definitions_that_somebody_applied_are_taken_over_only_when_asked(cluster: ControlPlane) -> None:
    cluster.kubectl("apply", "-f", str(ROOT / "crds"))
    with pytest.raises(SandboxError, match=r"invalid ownership metadata"):
        install(cluster, "--set", "replicas=0")
    install(cluster, "--set", "replicas=0", "--set", "crds.install=false")
    assert "meta.helm.sh/release-name" not in fetch(cluster, "crd", CRD)["metadata"]["annotations"]
    install(cluster, "--set", "replicas=0", "--take-ownership")
    assert fetch(cluster, "crd", CRD)["metadata"]["annotations"]["meta.helm.sh/release-name"] == "hydatis"


def test_the_pods_meet_the_restricted_pod_security_standard(cluster: ControlPlane) -> None:
    install(cluster)
    cluster.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted", "--overwrite")
    template = fetch(cluster, "deployment", "hydatis", "-n", NAMESPACE)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe", "labels": template["metadata"]["labels"]}}
    cluster.kubectl(
        "create", "--dry-run=server", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(pod | {"spec": template["spec"]})
    )
    template["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(SandboxError, match="violates PodSecurity"):
        cluster.kubectl(
            "create", "--dry-run=server", "-n", NAMESPACE, "-f", "-", stdin=json.dumps(pod | {"spec": template["spec"]})
        )
