"""What is read from a registry that anybody may have written to: a real store, with odd things in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hydatis.registry.errors import NotInRegistry, RegistryError, printable
from hydatis.registry.versions import RegisteredVersion, Registry, UnreadableVersion, opened_registry
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.weights import digest_of
from hydatis.simulations.training.tracking.naming import Alias
from hydatis.simulations.training.tracking.opening import opened, tracking_uri
from hydatis.simulations.training.tracking.registering import register
from hydatis.simulations.training.tracking.testing import made_model

NAME = "hydatis-load"


@pytest.fixture
def registry(in_a_folder_of_its_own: Path) -> Iterator[Registry]:
    with opened_registry() as found:
        yield found


def change_tags(**tags: Any) -> None:
    """Of version 1; None removes a tag. `__` stands for a point."""
    with opened(tracking_uri()) as client:
        for key, value in tags.items():
            name = key.replace("__", ".")
            if value is None:
                client.delete_model_version_tag(NAME, "1", name)
            else:
                client.set_model_version_tag(NAME, "1", name, value)


def test_a_version_is_found_by_number_and_by_alias_with_all_that_an_mlmodel_wants(registry: Registry) -> None:
    model = made_model()
    register(model)
    register(made_model(onnx=b"others"))
    registry.point(NAME, Alias.CHAMPION, "1")
    found = registry.find(NAME, "1")
    assert registry.find(NAME, "@champion") == found
    assert (found.name, found.version, found.mlmodel, found.aliases) == (NAME, "1", "hydatis-load-1", ("champion",))
    assert (found.kind, found.schema_hash, found.sha256) == (
        ModelKind.LOAD,
        model.schema_hash,
        digest_of(model.onnx),
    )
    assert found.metrics == {"error": 0.25, "error_mean": 0.5}
    assert {**found.provenance, "trainedAt": "", "codeVersion": ""} == {
        "trainedAt": "",
        "codeVersion": "",
        "data": "made-up days",
        "seed": 1,
    }
    assert [version.version for version in registry.listed([NAME, "hydatis-placement"])] == ["2", "1"]
    registry.point(NAME, Alias.CHAMPION, None)
    registry.point(NAME, Alias.CHAMPION, None)
    with pytest.raises(NotInRegistry, match="has no hydatis-load @champion; hydatis model list shows"):
        registry.find(NAME, "@champion")


@pytest.mark.parametrize(
    ("name", "reference", "problem"),
    [
        (NAME, "9", "has no hydatis-load version 9"),
        ("hydatis-none", "1", "has no hydatis-none version 1"),
        ("../hydatis-load", "1", "the model is named '../hydatis-load'"),
        ("x' or name = 'y", "1", "the model is named"),
        ("a" * 201, "1", "the model is named"),
        (NAME, "latest", "the version is 'latest'; give its number, such as 3, or an alias"),
        (NAME, "1/../2", "the version is '1/../2'"),
        (NAME, "@no alias", "the version is '@no alias'"),
        (NAME, "-1", "the version is '-1'"),
    ],
)
def test_what_is_not_there_or_cannot_be_is_told(registry: Registry, name: str, reference: str, problem: str) -> None:
    register(made_model())
    with pytest.raises(RegistryError) as caught:
        registry.find(name, reference)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({"hydatis__kind": None}, "has hydatis.kind '', and not one of Load, Placement, Anomaly"),
        ({"hydatis__kind": "Pickle\x1b[2J"}, "has hydatis.kind 'Pickle?[2J'"),
        ({"hydatis__schema_hash": "x"}, "has hydatis.schema_hash 'x', and not 8 to 64 hexadecimal digits"),
        ({"hydatis__sha256": "A" * 64}, f"has hydatis.sha256 '{'A' * 40}…', and not 64 hexadecimal digits"),
    ],
)
def test_a_version_of_somebody_else_is_listed_as_such_and_not_taken(
    registry: Registry, tags: dict[str, Any], problem: str
) -> None:
    register(made_model())
    change_tags(**tags)
    with pytest.raises(RegistryError) as caught:
        registry.find(NAME, "1")
    assert f"hydatis-load version 1 {problem}" in str(caught.value)
    (listed,) = registry.listed([NAME])
    assert isinstance(listed, UnreadableVersion)
    assert listed.problem == str(caught.value)


def test_what_no_mlmodel_takes_of_a_sound_version_is_left_out(registry: Registry) -> None:
    register(made_model())
    change_tags(
        hydatis__metrics__error="nan",
        hydatis__metrics__other="a lot",
        hydatis__seed="-1",
        hydatis__trained_at="2026-13-40T00:00:00Z",
        hydatis__data="x" * 5000 + "\n",
        **{f"hydatis__metrics__m{number}": "1" for number in range(80)},
    )
    found = registry.find(NAME, "1")
    assert isinstance(found, RegisteredVersion)
    assert "error" not in found.metrics
    assert "other" not in found.metrics
    assert len(found.metrics) == 64
    assert set(found.provenance) == {"data", "codeVersion"}
    assert found.provenance["data"] == "x" * 1023 + "…"


def test_text_of_others_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b]0;title\x07\nb\u202ec") == "a?]0;title??b?c"
    assert printable("abcdef", 3) == "abc…"
