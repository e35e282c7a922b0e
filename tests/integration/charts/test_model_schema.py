"""What the API server takes for an MLModel, and with which words it refuses the rest."""

import http.client
import json
from typing import Any

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import INLINE_MAX, ModelInvalid, inline_manifest, parse_model
from hydatis.scheduler.testing_onnx import linear

INLINE = inline_manifest(linear(), name="table", kind=ModelKind.LOAD, version="1.0", schema_hash="0" * 64)["spec"]
ABSENT = object()
MODELS = "/apis/hydatis.io/v1alpha1/mlmodels"


def spec(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**INLINE, **changes}.items() if value is not ABSENT}


def weights(**given: Any) -> dict[str, Any]:
    return spec(weights=given)


def maps(*items: Any) -> dict[str, Any]:
    return weights(configMaps=list(items))


GOOD: dict[str, Any] = {
    "weights inline": spec(),
    "no format": spec(format=ABSENT),
    "a short hash of the schema": spec(schemaHash="0123abcd"),
    "the longest weights inline": weights(inline="A" * INLINE_MAX),
    "weights in ConfigMaps": maps({"name": "a.b"}, {"name": "c", "key": "part-2.gz"}),
    "the most ConfigMaps": maps(*({"name": f"m{number}"} for number in range(64))),
    "weights behind a URL": weights(url="https://models.example.com:8443/load.onnx?version=1"),
    "metrics and provenance": spec(
        metrics={"mae": 0.12, "rows": 4000},
        provenance={"trainedAt": "2026-01-01T00:00:00Z", "data": "d", "seed": 7, "codeVersion": "c", "note": "n"},
    ),
    "every kind": spec(kind="Anomaly"),
    "a version of signs": spec(version="1.0-rc.1+build_2"),
}

BAD: dict[str, Any] = {
    "an empty spec": {},
    "an unknown kind": spec(kind="Forecast"),
    "another format": spec(format="Pickle"),
    "no version": spec(version=ABSENT),
    "an empty version": spec(version=""),
    "a version with a space": spec(version="1 0"),
    "a version that is too long": spec(version="1" * 64),
    "no digest": spec(sha256=ABSENT),
    "a digest in upper case": spec(sha256="A" * 64),
    "half a digest": spec(sha256="a" * 32),
    "no hash of the schema": spec(schemaHash=ABSENT),
    "a hash that is none": spec(schemaHash="none"),
    "no weights": spec(weights=ABSENT),
    "empty weights": weights(),
    "weights in two places": weights(inline="QQ==", url="https://example.com/"),
    "too many weights inline": weights(inline="A" * (INLINE_MAX + 1)),
    "no ConfigMaps": maps(),
    "a ConfigMap without a name": maps({"key": "k"}),
    "a ConfigMap with a capital": maps({"name": "A"}),
    "a ConfigMap of another namespace": maps({"name": "a", "namespace": "kube-system"}),
    "a key with a slash": maps({"name": "a", "key": "../b"}),
    "too many ConfigMaps": maps(*({"name": f"m{number}"} for number in range(65))),
    "a file as URL": weights(url="file:///etc/passwd"),
    "a URL with a space": weights(url="https://example.com/a b"),
    "an unknown field": spec(weight="x"),
}


def manifest(model: Any, name: str = "table") -> dict[str, Any]:
    return {"apiVersion": "hydatis.io/v1alpha1", "kind": "MLModel", "metadata": {"name": name}, "spec": model}


def server_refuses(control_plane: ControlPlane, candidate: dict[str, Any], method: str = "POST") -> str | None:
    """What the API server says against creating, or with PUT replacing, the object; None when it accepts it."""
    path = MODELS if method == "POST" else f"{MODELS}/{candidate['metadata']['name']}"
    answer = control_plane.api.request(method, f"{path}?dryRun=All&fieldValidation=Strict", candidate)
    if answer.status < http.client.BAD_REQUEST:
        return None
    assert answer.status in (http.client.BAD_REQUEST, http.client.UNPROCESSABLE_ENTITY), answer.text()
    return str(json.loads(answer.body)["message"])


def parser_refuses(candidate: dict[str, Any]) -> str | None:
    try:
        parse_model(candidate)
    except ModelInvalid as invalid:
        return str(invalid)
    return None


@pytest.mark.parametrize("name", GOOD)
def test_both_accept_a_good_model(server: ControlPlane, name: str) -> None:
    candidate = manifest(GOOD[name])
    assert (server_refuses(server, candidate), parser_refuses(candidate)) == (None, None)


@pytest.mark.parametrize("name", BAD)
def test_both_refuse_a_bad_model(server: ControlPlane, name: str) -> None:
    candidate = manifest(BAD[name])
    assert server_refuses(server, candidate) is not None, "the API server accepts it"
    assert parser_refuses(candidate) is not None, "the parser accepts it"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weights in two places", "spec.weights: Invalid value: give just one of inline, configMaps and url"),
        ("empty weights", "spec.weights: Invalid value: give just one of inline, configMaps and url"),
        ("an unknown kind", 'supported values: "Load", "Placement", "Anomaly"'),
    ],
)
def test_a_message_says_what_to_do(server: ControlPlane, name: str, expected: str) -> None:
    assert expected in (server_refuses(server, manifest(BAD[name])) or "accepted")


def test_a_spec_never_changes_and_its_labels_and_status_may(server: ControlPlane) -> None:
    server.kubectl("create", "-f", "-", stdin=json.dumps(manifest(spec(), "fixed")))
    try:
        for changed in (spec(version="2"), spec(metrics={"mae": 1}), weights(url="https://example.com/")):
            current = json.loads(server.kubectl("get", "mlm", "fixed", "-o", "json"))
            said = server_refuses(server, {**current, "spec": changed}, "PUT")
            assert "spec: Invalid value: the spec of a model never changes; create another MLModel" in (said or "taken")
        server.kubectl("label", "mlm", "fixed", "stage=test")
        condition = {
            "type": "Verified",
            "status": "False",
            "reason": "WrongDigest",
            "message": "m",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        status = {"observedGeneration": 1, "inUse": ["batch"], "size": 5, "conditions": [condition]}
        patch = json.dumps({"status": status})
        server.kubectl("patch", "mlm", "fixed", "--subresource=status", "--type=merge", "-p", patch)
        assert json.loads(server.kubectl("get", "mlm", "fixed", "-o", "json"))["status"] == status
        head, line = server.kubectl("get", "mlm", "-o", "wide").splitlines()
        assert head.split("  ")[0].startswith("NAME")
        assert head.replace("IN USE", "IN_USE").split() == [
            *("NAME", "KIND", "VERSION", "VERIFIED", "IN_USE", "AGE", "REASON")
        ]
        assert line.split()[:5] == ["fixed", "Load", "1.0", "False", '["batch"]']
        assert line.split()[-1] == "WrongDigest"
    finally:
        server.kubectl("delete", "mlm", "fixed")


def test_defaults_are_filled_in(server: ControlPlane) -> None:
    candidate = manifest({**maps({"name": "a"}), "format": None})
    text = server.kubectl("create", "--dry-run=server", "-f", "-", "-o", "json", stdin=json.dumps(candidate))
    found = json.loads(text)["spec"]
    assert (found["format"], found["weights"]["configMaps"]) == ("ONNX", [{"name": "a", "key": "weights"}])
