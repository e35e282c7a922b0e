"""Which models the core has after which objects, and what their status says; weights are verified for real."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hydatis.operator import models
from hydatis.operator.connection import Connection
from hydatis.operator.models import PATH, ModelKeeper
from hydatis.scheduler.ensemble_weights import EnsembleWeights, ModelPart
from hydatis.scheduler.events import Event, ModelGone, ModelLoaded
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import inline_manifest
from hydatis.scheduler.models.weights import digest_of, pack
from hydatis.scheduler.policy import Policy
from hydatis.scheduler.testing_onnx import linear, tree

SCHEMA = "0" * 64
CONFIG_MAP = "/api/v1/namespaces/system/configmaps/part"
STATUS = f"{PATH}/m/status"
PART = ModelPart(ModelKind.LOAD, "m", 1)


def model(data: bytes, *, name: str = "m", uid: str = "uid-1", status: Any = None, **spec: Any) -> dict[str, Any]:
    manifest = inline_manifest(data, name=name, kind=ModelKind.LOAD, version="1", schema_hash=SCHEMA)
    manifest["metadata"] |= {"uid": uid, "generation": 1, "resourceVersion": "1"}
    manifest["spec"] |= spec
    return {**manifest, "status": status} if status is not None else manifest


class Rig:
    """A keeper in front of the scripted server."""

    def __init__(self, server: Any, connection: Connection, answers: Any) -> None:
        self.server = server
        self.answers = answers
        self.told: list[Event] = []
        self.policies: list[Policy] = []
        self.changes = 0
        self.keeper = ModelKeeper(
            connection, self.told.append, namespace="system", policies=lambda: self.policies, schemas={}
        )
        self.keeper.changed = self._changed
        server.on("PATCH", STATUS, answers(200))

    def _changed(self) -> None:
        self.changes += 1

    @property
    def statuses(self) -> list[Any]:
        return [body[1]["value"] for body in self.server.sent("PATCH", STATUS)]

    @property
    def verified(self) -> tuple[str, str]:
        """Status and reason as last written."""
        (condition,) = self.statuses[-1]["conditions"] if self.statuses else ({"status": "", "reason": ""},)
        return condition["status"], condition["reason"]

    @property
    def loaded(self) -> list[str]:
        return [event.model.digest for event in self.told if isinstance(event, ModelLoaded)]

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - told by plain callbacks
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.keeper.verify()), asyncio.create_task(self.keeper.write_statuses())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def rig(server: Any, connection: Connection, answers: Any) -> Rig:
    return Rig(server, connection, answers)


async def test_a_sound_model_is_loaded_and_says_so(rig: Rig) -> None:
    rig.policies = [Policy(name, ensemble=EnsembleWeights(load=1, load_model="m")) for name in ("b", "a")]
    rig.policies.append(Policy("other", ensemble=EnsembleWeights(load=1, load_model="n")))
    async with rig.running():
        rig.keeper.seen(model(linear()))
        assert rig.keeper.why_missing(PART) == (
            "spec.ensemble.load.model is m: Verifying: The weights are being fetched and verified."
        )
        await rig.until(lambda: rig.verified == ("True", "Verified"))
    assert rig.loaded == [digest_of(linear())]
    assert (rig.statuses[-1]["inUse"], rig.statuses[-1]["size"]) == (["a", "b"], len(linear()))
    assert rig.statuses[-1]["observedGeneration"] == 1
    assert rig.keeper.why_missing(PART) is None
    assert rig.changes == 2


async def test_the_loop_goes_on_while_a_model_is_verified(rig: Rig) -> None:
    loop = asyncio.get_running_loop()
    longest, beats = 0.0, 0
    async with rig.running():
        rig.keeper.seen(model(linear()))
        last = loop.time()
        while not rig.loaded:
            await asyncio.sleep(0.005)
            now = loop.time()
            longest, beats, last = max(longest, now - last), beats + 1, now
    assert beats > 20, "the trial takes longer than that many turns"


async def test_a_refused_model_is_not_loaded_and_names_field_and_remedy(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear(), sha256="a" * 64))
        await rig.until(lambda: rig.verified == ("False", "WrongDigest"))
    assert "spec.sha256 is aaaaaaaaaaaa…" in rig.statuses[-1]["conditions"][0]["message"]
    assert rig.told == []
    why = rig.keeper.why_missing(PART)
    assert why is not None
    assert why.startswith("spec.ensemble.load.model is m: WrongDigest: spec.sha256")


async def test_a_wrong_manifest_is_told_with_every_error(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear(), kind="Forecast", version=1))
        await rig.until(lambda: rig.verified == ("False", "Invalid"))
    message = rig.statuses[-1]["conditions"][0]["message"]
    assert [line.split()[0] for line in message.splitlines()] == ["spec.kind", "spec.version"]


async def test_a_deleted_model_is_gone_and_a_new_one_of_its_name_is_verified_anew(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear()))
        await rig.until(lambda: bool(rig.loaded))
        # A list after a cut watch shows the new one without a word about the old one.
        rig.keeper.seen(model(tree(), uid="uid-2"))
        assert rig.told[-1] == ModelGone("m")
        await rig.until(lambda: len(rig.loaded) == 2)
        rig.keeper.gone("m")
    assert rig.told[-1] == ModelGone("m")
    assert rig.keeper.why_missing(PART) == (
        "spec.ensemble.load.model is m: there is no MLModel of this name; create it, or name another"
    )


async def test_a_model_that_goes_while_it_is_verified_is_never_loaded(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear()))
        await asyncio.sleep(0.05)
        rig.keeper.gone("m")
        rig.keeper.seen(model(tree(), name="n"))
        await rig.until(lambda: bool(rig.loaded))
    assert rig.loaded == [digest_of(tree())]


async def test_a_status_that_is_right_is_not_written_again(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear()))
        await rig.until(lambda: rig.verified == ("True", "Verified"))
        written = len(rig.statuses)
        rig.keeper.seen(model(linear(), status=rig.statuses[-1]))
        rig.keeper.policies_changed()
        await asyncio.sleep(0.1)
        assert len(rig.statuses) == written
        rig.policies = [Policy("p", ensemble=EnsembleWeights(load=1, load_model="m"))]
        rig.keeper.policies_changed()
        await rig.until(lambda: len(rig.statuses) == written + 1)
    assert rig.statuses[-1]["inUse"] == ["p"]
    assert len(rig.loaded) == 1


async def test_a_status_that_could_not_be_written_is_written_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "STATUS_RETRY_SECONDS", 0.05)
    rig.server.on("PATCH", STATUS, rig.answers(500), rig.answers(500), rig.answers(200))
    async with rig.running():
        rig.keeper.seen(model(linear(), sha256="a" * 64))
        await rig.until(lambda: len(rig.statuses) >= 3 and rig.verified == ("False", "WrongDigest"))


async def test_weights_of_a_config_map_are_tried_again_until_they_are_there_and_right(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "RETRY_FIRST_SECONDS", 0.05)
    packed = base64.b64decode(pack(linear()))
    half = base64.b64encode(packed[:40]).decode()
    rig.server.on(
        "GET",
        CONFIG_MAP,
        rig.answers(404),
        rig.answers(403),
        rig.answers(200, {"data": {"other": "QQ=="}}),
        rig.answers(200, {"binaryData": {"weights": half}}),
        rig.answers(200, {"data": {"weights": pack(linear())}}),
    )
    async with rig.running():
        rig.keeper.seen(model(linear(), weights={"configMaps": [{"name": "part"}]}))
        await rig.until(lambda: rig.verified == ("True", "Verified"))
    reasons = [status["conditions"][0]["reason"] for status in rig.statuses]
    assert list(dict.fromkeys(reasons)) == [
        *("Verifying", "ConfigMapMissing", "ConfigMapUnreadable", "Truncated", "Verified")
    ]


async def test_a_model_of_another_schema_is_refused_before_its_weights_are_fetched(
    rig: Rig, connection: Connection
) -> None:
    known = {ModelKind.LOAD: {"1" * 64: 3}}
    rig.keeper = ModelKeeper(connection, rig.told.append, namespace="system", policies=lambda: [], schemas=known)
    async with rig.running():
        rig.keeper.seen(model(linear(), weights={"configMaps": [{"name": "part"}]}))
        await rig.until(lambda: rig.verified == ("False", "WrongSchema"))
    assert rig.server.sent("GET", CONFIG_MAP) == []


async def test_a_part_of_another_kind_is_missing_although_the_model_is_loaded(rig: Rig) -> None:
    async with rig.running():
        rig.keeper.seen(model(linear()))
        await rig.until(lambda: bool(rig.loaded))
    assert rig.keeper.why_missing(ModelPart(ModelKind.ANOMALY, "m", 1)) == (
        "spec.ensemble.anomaly.model is m: it is of the kind Load; name one of the kind Anomaly"
    )
