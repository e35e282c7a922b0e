"""What the chart renders, judged by the real Helm: sound objects, no more rights than named, and clear refusals."""

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.operator.explain_client import EXPLAIN_PORT
from hydatis.operator.options import explain_address
from hydatis.operator.preflight import PERMISSIONS
from hydatis.sandbox.binaries import locate
from hydatis.sandbox.go_module import Program
from hydatis.scheduler.models.model_spec import PLURAL as MODELS
from hydatis.scheduler.policy import GROUP, PLURAL

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "hydatis"
DEFINITIONS = [ROOT / "crds" / f"{plural}.{GROUP}.yaml" for plural in (PLURAL, MODELS)]

_helm = locate(Program.HELM)
pytestmark = pytest.mark.skipif(_helm is None, reason="Helm is not built yet: `make controlplane` builds it")


def run_helm(*arguments: str, values: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    assert _helm is not None
    given = [] if values is None else ["--values", "-"]
    command = [str(_helm.path), *arguments, *given]
    return subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, timeout=60, check=False)


def render(values: dict[str, Any] | None = None, release: str = "hydatis") -> dict[str, dict[str, Any]]:
    """The rendered objects by kind, but for the definitions and the models."""
    several = ("CustomResourceDefinition", "MLModel")
    return {item["kind"]: item for item in rendered(values, release) if item["kind"] not in several}


def rendered(values: dict[str, Any] | None = None, release: str = "hydatis") -> list[dict[str, Any]]:
    # A Helm that was built from source takes itself for a very old cluster.
    arguments = ["template", release, str(CHART), "--namespace", "hydatis-system", "--kube-version", "1.37.2"]
    result = run_helm(*arguments, values=values)
    assert result.returncode == 0, result.stderr
    return [item for item in yaml.safe_load_all(result.stdout) if item]


def rules_of(kind: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = render()[kind]["rules"]
    return rules


def every_rule() -> list[dict[str, Any]]:
    return rules_of("ClusterRole") + rules_of("Role")


def refusal(values: dict[str, Any]) -> str:
    result = run_helm("template", "hydatis", str(CHART), "--kube-version", "1.37.2", values=values)
    assert result.returncode != 0, "Helm accepts it"
    return result.stderr


def container(values: dict[str, Any] | None = None) -> dict[str, Any]:
    (only,) = render(values)["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def test_helm_finds_nothing_to_complain_about() -> None:
    result = run_helm("lint", "--strict", "--kube-version", "1.37.2", str(CHART))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_chart_renders_each_object_once() -> None:
    assert sorted(item["kind"] for item in rendered()) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "CustomResourceDefinition",
        "Deployment",
        "MLModel",
        "MLModel",
        "MLModel",
        "MLSchedulerPolicy",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    ]


def test_the_definitions_in_the_chart_are_those_in_crds() -> None:
    assert sorted((ROOT / "crds").iterdir()) == sorted(DEFINITIONS)
    of_chart = {item["metadata"]["name"]: item for item in rendered() if item["kind"] == "CustomResourceDefinition"}
    assert of_chart == {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in DEFINITIONS}


def test_the_models_are_those_that_ship_and_no_part_of_the_release() -> None:
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "models").iterdir()}
    shipped = {manifest["metadata"]["name"]: manifest for manifest in files.values()}
    of_chart = [item for item in rendered() if item["apiVersion"].startswith(GROUP)]
    for item in of_chart:
        annotations = item["metadata"].pop("annotations")
        assert annotations["helm.sh/hook"] == "post-install,post-upgrade"
        assert annotations["helm.sh/hook-weight"] == ("0" if item["kind"] == "MLModel" else "1")
    assert {item["metadata"]["name"]: item for item in of_chart} == shipped
    assert set(files) == {"load", "placement", "anomaly", "policy"}


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda path: str(path.stem))
def test_a_packaged_chart_holds_the_definition_itself(definition: Path, tmp_path: Path) -> None:
    result = run_helm("package", str(CHART), "--destination", str(tmp_path))
    assert result.returncode == 0, result.stderr
    (archive,) = tmp_path.glob("hydatis-*.tgz")
    with tarfile.open(archive) as opened:
        member = opened.extractfile(f"hydatis/definitions/{definition.name}")
        assert member is not None
        assert member.read() == definition.read_bytes()


def test_objects_that_are_not_wanted_are_left_out() -> None:
    values = {
        "crds": {"install": False},
        "models": {"install": False},
        "rbac": {"create": False},
        "serviceAccount": {"create": False, "name": "own"},
    }
    objects = render(values)
    assert sorted(item["kind"] for item in rendered(values)) == ["Deployment", "Service"]
    assert objects["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == "own"


def test_the_binding_gives_the_role_to_the_service_account_of_the_deployment() -> None:
    objects = render()
    account = objects["ServiceAccount"]["metadata"]
    assert (account["name"], account["namespace"]) == ("ml-scheduler-sa", "hydatis-system")
    subject = {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    for kind in ("ClusterRole", "Role"):
        binding = objects[f"{kind}Binding"]
        assert binding["subjects"] == [subject]
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (kind, objects[kind]["metadata"]["name"])
    assert {objects[kind]["metadata"]["namespace"] for kind in ("Role", "RoleBinding")} == {"hydatis-system"}
    assert objects["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == account["name"]


def test_no_rule_of_the_role_has_a_wildcard_or_reads_secrets_or_repeats_another() -> None:
    rules = every_rule()
    granted = [
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert len(granted) == len(set(granted))
    assert not any("*" in "".join(grant) for grant in granted)
    assert "secrets" not in {resource for _, resource, _ in granted}
    assert {verb for _, _, verb in granted} <= {"get", "list", "watch", "create", "patch", "delete"}
    assert [resource for _, resource, verb in granted if verb == "delete"] == ["pods"]


def test_the_role_grants_just_what_the_operator_asks_for_when_it_starts() -> None:
    granted = {
        (verb, group, resource, kind == "Role")
        for kind in ("ClusterRole", "Role")
        for rule in rules_of(kind)
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    asked = {
        (p.verb, p.group, "/".join(filter(None, (p.resource, p.subresource))), p.own_namespace) for p in PERMISSIONS
    }
    assert granted == asked


def test_every_rule_of_the_role_is_explained_in_the_documentation() -> None:
    documentation = (ROOT / "docs" / "rbac.md").read_text(encoding="utf-8")
    rows = {
        tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")[:2])
        for line in documentation.splitlines()
        if line.startswith("| `")
    }
    rules = {(", ".join(rule["resources"]), ", ".join(rule["verbs"])) for rule in every_rule()}
    assert rows == rules


def test_the_service_finds_the_pods_of_the_deployment_whatever_labels_they_are_given() -> None:
    objects = render({"podLabels": {"team": "a", "app.kubernetes.io/name": "other"}})
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert labels["team"] == "a"
    for selector in (objects["Service"]["spec"]["selector"], objects["Deployment"]["spec"]["selector"]["matchLabels"]):
        assert selector.items() <= labels.items()
    (port,) = objects["Service"]["spec"]["ports"]
    assert port["targetPort"] in {entry["name"] for entry in container()["ports"]}


def test_the_container_may_do_next_to_nothing() -> None:
    pod = render()["Deployment"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_values_reach_the_command_line() -> None:
    values = {"schedulerNames": ["hydatis", "default-scheduler"], "extraArgs": ["--bind-concurrency=64"]}
    assert container(values)["args"] == [
        *("run", "--listen", "0.0.0.0:8080", "--explain-listen", f"127.0.0.1:{EXPLAIN_PORT}"),
        *("--scheduler-name", "hydatis", "--scheduler-name", "default-scheduler"),
        "--bind-concurrency=64",
    ]


def test_decisions_are_served_on_no_port_that_others_reach() -> None:
    assert explain_address(f"127.0.0.1:{EXPLAIN_PORT}")
    assert EXPLAIN_PORT not in {port["containerPort"] for port in container()["ports"]}
    assert {port["targetPort"] for port in render()["Service"]["spec"]["ports"]} == {"metrics"}


def test_probes_ask_the_metrics_port() -> None:
    probed = container()
    assert probed["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert probed["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}


def test_two_instances_never_run_at_once() -> None:
    assert render()["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ({}, "hydatis:0.1.0"),
        ({"repository": "r.example/h", "tag": "1"}, "r.example/h:1"),
        ({"tag": "1", "digest": "sha256:" + "0" * 64}, "hydatis@sha256:" + "0" * 64),
    ],
)
def test_the_image_is_named_by_digest_or_tag_or_version_of_the_chart(image: dict[str, str], expected: str) -> None:
    assert container({"image": image})["image"] == expected


@pytest.mark.parametrize(
    ("release", "name"), [("hydatis", "hydatis"), ("my-hydatis", "my-hydatis"), ("other", "other-hydatis")]
)
def test_cluster_wide_names_follow_the_release(release: str, name: str) -> None:
    objects = render(release=release)
    assert {objects[kind]["metadata"]["name"] for kind in ("ClusterRole", "ClusterRoleBinding", "Deployment")} == {name}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"replicas": 2}, "at '/replicas': value must be one of 0, 1"),
        ({"replica": 1}, "additional properties 'replica' not allowed"),
        ({"schedulerNames": []}, "at '/schedulerNames': minItems: got 0, want 1"),
        ({"schedulerNames": ["A b"]}, "at '/schedulerNames/0': 'A b' does not match pattern"),
        ({"schedulerName": "x"}, "additional properties 'schedulerName' not allowed"),
        ({"image": {"tag": 1}}, "at '/image/tag': got number, want string"),
        ({"image": {"digest": "sha256:abc"}}, "at '/image/digest'"),
        ({"image": {"pullPolicy": "always"}}, "at '/image/pullPolicy': value must be one of"),
        ({"service": {"port": 70000}}, "at '/service/port': maximum: got 70,000, want 65,535"),
        ({"resources": {"requests": {"memory": "1 GB"}}}, "at '/resources/requests/memory'"),
        ({"nodeSelector": {"gpu": True}}, "at '/nodeSelector/gpu': got boolean, want string"),
        ({"crds": {"install": "no"}}, "at '/crds/install': got string, want boolean"),
        ({"models": {"install": "no"}}, "at '/models/install': got string, want boolean"),
        ({"serviceAccount": {"name": ""}}, "at '/serviceAccount/name'"),
    ],
)
def test_a_bad_value_is_refused_by_its_path(values: dict[str, Any], expected: str) -> None:
    assert expected in refusal(values)


def test_every_value_is_in_the_schema_and_every_property_of_the_schema_is_a_value() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]) - {"global"} == set(values)
    for name in ("image", "crds", "models", "serviceAccount", "rbac", "service"):
        assert set(schema["properties"][name]["properties"]) == set(values[name])
        assert schema["properties"][name]["additionalProperties"] is False


def test_the_chart_and_the_package_have_the_same_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    assert f'version = "{chart["appVersion"]}"' in lines
