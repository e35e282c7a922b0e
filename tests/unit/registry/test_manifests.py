import base64
import random

from hydatis.registry.manifests import CHUNK_BYTES, holding, referring
from hydatis.registry.versions import RegisteredVersion
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import ConfigMapKey, parse_model
from hydatis.scheduler.models.weights import Weights, digest_of

MANY = random.Random(1).randbytes(2 * CHUNK_BYTES)  # noqa: S311 - nothing that could be packed


def version(data: bytes) -> RegisteredVersion:
    metrics = {"error": 0.25}
    provenance: dict[str, str | int] = {"seed": 7, "data": "made-up days"}
    return RegisteredVersion("hydatis-load", "3", ModelKind.LOAD, "ab" * 32, digest_of(data), "", metrics, provenance)


def nowhere() -> str:
    raise AssertionError("no namespace is needed")


def test_small_weights_are_in_the_object_itself() -> None:
    manifests = holding(version(b"weights"), b"weights", nowhere)
    spec = parse_model(manifests.model)
    assert (manifests.name, spec.name, spec.version, spec.kind) == ("hydatis-load-3",) * 2 + ("3", ModelKind.LOAD)
    inline = Weights((base64.b64decode(spec.inline),), True, "")
    assert inline.read(spec.sha256) == b"weights"
    assert manifests.documents() == [manifests.model]
    assert manifests.model["spec"]["metrics"] == {"error": 0.25}
    assert manifests.model["spec"]["provenance"] == {
        "seed": 7,
        "data": "made-up days",
        "note": "hydatis-load version 3 of the registry",
    }


def test_large_weights_are_in_config_maps_that_make_them_up_again() -> None:
    manifests = holding(version(MANY), MANY, lambda: "system")
    spec = parse_model(manifests.model)
    assert spec.config_maps == tuple(ConfigMapKey(f"hydatis-load-3-{number}", "weights") for number in range(3))
    pieces = [base64.b64decode(each["binaryData"]["weights"]) for each in manifests.config_maps]
    assert Weights(tuple(pieces), True, "").read(spec.sha256) == MANY
    assert max(map(len, pieces)) == CHUNK_BYTES
    assert [each["metadata"] for each in manifests.config_maps] == [
        {"name": f"hydatis-load-3-{number}", "namespace": "system"} for number in range(3)
    ]


def test_a_reference_holds_the_address_and_the_digest() -> None:
    spec = parse_model(referring(version(b"weights"), "http://mlflow:5000/x").model)
    assert (spec.url, spec.sha256, spec.inline) == ("http://mlflow:5000/x", digest_of(b"weights"), "")
