"""Which policies are in force after which objects, and what their status says."""

import asyncio
from typing import Any

import pytest

from hydatis.operator import policies
from hydatis.operator.connection import Connection
from hydatis.operator.object_status import MESSAGE_BYTES
from hydatis.operator.policies import PATH, PolicyKeeper
from hydatis.scheduler.events import Event, PolicyGone, PolicyInForce
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.testing_models import ConstantModel

GOOD = {"pluginWeights": {"NodeAffinity": 5}}
OTHER = {"pluginWeights": {"NodeAffinity": 7}}
WRONG = {"pluginWeights": {"NoSuchPlugin": 5}}
STATUS = f"{PATH}/gold/status"
MODELS = {"l": ConstantModel("l", ModelKind.LOAD)}
ENSEMBLE = {"load": {"model": "l", "weight": 1}, "anomaly": {"model": "a", "weight": 0}}


def policy(spec: Any, generation: int = 1, uid: str = "uid-1", status: Any = None) -> dict[str, Any]:
    manifest = {
        "apiVersion": "hydatis.io/v1alpha1",
        "kind": "MLSchedulerPolicy",
        "metadata": {"name": "gold", "uid": uid, "generation": generation, "resourceVersion": "1"},
        "spec": spec,
    }
    return {**manifest, "status": status} if status is not None else manifest


class Rig:
    """A keeper in front of the scripted server; applies status patches as the API server would."""

    def __init__(self, server: Any, connection: Connection, answers: Any) -> None:
        self.server = server
        self.answers = answers
        self.told: list[Event] = []
        self.missing: dict[str, str] = {}
        """Name of a model to why it is not loaded."""
        self.keeper = PolicyKeeper(
            connection,
            self.told.append,
            mode_of=lambda policy: policy.mode_with({} if self.missing else MODELS),
            why_missing=lambda part: self.missing.get(part.model),
        )
        server.on("PATCH", STATUS, answers(200))

    def restarted(self, connection: Connection) -> PolicyKeeper:
        return PolicyKeeper(connection, self.told.append)

    @property
    def statuses(self) -> list[Any]:
        return [body[1]["value"] for body in self.server.sent("PATCH", STATUS)]

    @property
    def weights(self) -> list[int]:
        return [event.policy.plugin_weights["NodeAffinity"] for event in self.told if isinstance(event, PolicyInForce)]


@pytest.fixture
def rig(server: Any, connection: Connection, answers: Any) -> Rig:
    return Rig(server, connection, answers)


async def test_a_good_policy_is_in_force_and_says_so(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD))
    (status,) = rig.statuses
    assert rig.weights == [5]
    assert status["observedGeneration"] == 1
    assert status["mode"] == "Fallback"
    assert status["inForce"] == {"generation": 1, "spec": GOOD}
    (ready,) = status["conditions"]
    assert (ready["type"], ready["status"], ready["reason"]) == ("Ready", "True", "InForce")


async def test_a_status_that_is_right_is_not_written_again(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD))
    await rig.keeper.observe(policy(GOOD, status=rig.statuses[0]))
    assert len(rig.statuses) == 1
    assert rig.weights == [5], "nor is the core told again"


async def test_a_wrong_spec_leaves_the_last_good_one_in_force_and_names_every_error(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD))
    wrong = {**WRONG, "fallback": {"heuristic": "Guess"}}
    await rig.keeper.observe(policy(wrong, 2, status=rig.statuses[0]))
    status = rig.statuses[1]
    (ready,) = status["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "LastGoodInForce")
    assert "spec.pluginWeights" in ready["message"]
    assert "spec.fallback.heuristic" in ready["message"]
    assert status["inForce"] == {"generation": 1, "spec": GOOD}
    assert status["observedGeneration"] == 2
    assert rig.weights == [5]


async def test_the_last_good_spec_is_taken_from_the_status_after_a_restart(rig: Rig, connection: Connection) -> None:
    await rig.keeper.observe(policy(GOOD))
    await rig.keeper.observe(policy(WRONG, 2, status=rig.statuses[0]))
    again = rig.restarted(connection)
    await again.observe(policy(WRONG, 2, status=rig.statuses[1]))
    assert rig.weights == [5, 5]
    assert len(rig.statuses) == 2, "what the status says is still true"


@pytest.mark.parametrize("in_force", [None, {"generation": 1, "spec": WRONG}, {"generation": 1}, "nonsense"])
async def test_a_wrong_policy_without_a_good_past_is_invalid_and_not_in_force(rig: Rig, in_force: Any) -> None:
    await rig.keeper.observe(policy(WRONG, status={"inForce": in_force} if in_force else None))
    (ready,) = rig.statuses[0]["conditions"]
    assert ready["reason"] == "Invalid"
    assert "inForce" not in rig.statuses[0]
    assert rig.told == []


async def test_a_corrected_policy_takes_effect_and_the_transition_time_is_kept_while_the_status_is(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD))
    before = rig.statuses[0]
    before["conditions"][0]["lastTransitionTime"] = "2001-01-01T00:00:00Z"
    await rig.keeper.observe(policy(OTHER, 2, status=before))
    assert rig.weights == [5, 7]
    assert rig.statuses[1]["conditions"][0]["lastTransitionTime"] == "2001-01-01T00:00:00Z"


async def test_an_older_version_that_arrives_late_is_ignored(rig: Rig) -> None:
    await rig.keeper.observe(policy(OTHER, 2))
    await rig.keeper.observe(policy(GOOD, 1))
    assert rig.weights == [7]


async def test_a_policy_created_anew_under_the_same_name_owes_nothing_to_the_old_one(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD, 5))
    await rig.keeper.observe(policy(WRONG, 1, uid="uid-2"))
    assert rig.statuses[-1]["conditions"][0]["reason"] == "Invalid"
    rig.keeper.gone("gold", "uid-1")
    await rig.keeper.observe(policy(OTHER, 2, uid="uid-2"))
    assert rig.weights == [5, 7]


async def test_a_deleted_policy_is_out_of_force(rig: Rig) -> None:
    await rig.keeper.observe(policy(GOOD))
    rig.keeper.gone("gold", "uid-1")
    assert rig.told[-1] == PolicyGone("gold")


def conditions(status: Any) -> dict[str, tuple[str, str, str]]:
    return {one["type"]: (one["status"], one["reason"], one["message"]) for one in status["conditions"]}


async def test_a_policy_whose_models_are_loaded_says_so_and_models_of_weight_0_are_not_needed(rig: Rig) -> None:
    await rig.keeper.observe(policy({"ensemble": ENSEMBLE}))
    (status,) = rig.statuses
    assert status["mode"] == "Ensemble"
    assert conditions(status)["ModelsLoaded"] == ("True", "AllLoaded", "l is loaded")
    assert conditions(status)["Ready"][:2] == ("True", "InForce")


@pytest.mark.parametrize(
    ("mode", "ready", "shown"),
    [
        ("Auto", ("True", "InForce"), "Fallback"),
        ("Ensemble", ("False", "ModelsMissing"), "Fallback"),
        ("Shadow", ("True", "InForce"), "Fallback"),
        ("Paused", ("True", "InForce"), "Paused"),
    ],
)
async def test_a_missing_model_is_told_and_only_the_mode_ensemble_is_not_ready_without_it(
    rig: Rig, mode: str, ready: tuple[str, str], shown: str
) -> None:
    rig.missing = {"l": "spec.ensemble.load.model is l: gone"}
    await rig.keeper.observe(policy({"mode": mode, "ensemble": ENSEMBLE}))
    (status,) = rig.statuses
    assert conditions(status)["ModelsLoaded"] == ("False", "ModelsMissing", "spec.ensemble.load.model is l: gone")
    assert conditions(status)["Ready"][:2] == ready
    assert status["mode"] == shown
    assert status["inForce"]["generation"] == 1, "it is in force all the same"
    assert len(rig.told) == 1


async def test_the_status_follows_models_that_come_and_go(rig: Rig) -> None:
    rig.server.on("GET", PATH, rig.answers(200, {"items": [policy({"mode": "Ensemble", "ensemble": ENSEMBLE})]}))
    rig.missing = {"l": "spec.ensemble.load.model is l: gone"}
    running = asyncio.create_task(rig.keeper.run())

    async def until(written: int) -> Any:
        async with asyncio.timeout(5):
            while len(rig.statuses) < written:  # noqa: ASYNC110 - told by a plain callback
                await asyncio.sleep(0.01)
        return conditions(rig.statuses[-1])["Ready"][:2]

    assert await until(1) == ("False", "ModelsMissing")
    rig.missing = {}
    rig.keeper.models_changed()
    assert await until(2) == ("True", "InForce")
    rig.keeper.models_changed()
    rig.missing = {"l": "spec.ensemble.load.model is l: gone"}
    rig.keeper.models_changed()
    assert await until(3) == ("False", "ModelsMissing")
    assert len(rig.told) == 1, "the policy itself is the same"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_policy_that_names_no_model_any_more_has_no_word_about_models(rig: Rig) -> None:
    await rig.keeper.observe(policy({"ensemble": ENSEMBLE}))
    await rig.keeper.observe(policy(GOOD, 2, status=rig.statuses[0]))
    assert set(conditions(rig.statuses[1])) == {"Ready"}
    assert rig.statuses[1]["mode"] == "Fallback"


async def test_a_wrong_spec_keeps_the_models_of_the_last_good_one(rig: Rig) -> None:
    await rig.keeper.observe(policy({"mode": "Ensemble", "ensemble": ENSEMBLE}))
    rig.missing = {"l": "spec.ensemble.load.model is l: gone"}
    await rig.keeper.observe(policy({**WRONG, "mode": "Ensemble"}, 2, status=rig.statuses[0]))
    found = conditions(rig.statuses[1])
    assert found["Ready"][:2] == ("False", "LastGoodInForce")
    assert found["ModelsLoaded"][:2] == ("False", "ModelsMissing")


async def test_other_conditions_are_left_alone(rig: Rig) -> None:
    foreign = {"type": "Seen", "status": "True"}
    await rig.keeper.observe(policy(GOOD, status={"conditions": [foreign]}))
    assert foreign in rig.statuses[0]["conditions"]


async def test_the_list_repairs_what_the_watch_missed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "RECONCILE_SECONDS", 0.05)
    rig.server.on(
        "GET", PATH, rig.answers(429), rig.answers(200, {"items": [policy(GOOD)]}), rig.answers(200, {"items": []})
    )
    running = asyncio.create_task(rig.keeper.run())
    await asyncio.wait_for(rig.keeper.listed.wait(), 5)
    assert rig.weights == [5]
    async with asyncio.timeout(5):
        while PolicyGone("gold") not in rig.told:  # noqa: ASYNC110 - told by a plain callback
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_message_with_thousands_of_errors_stays_within_the_schema(rig: Rig) -> None:
    await rig.keeper.observe(policy({"selector": {"namespaces": [f"{'X' * 90}{n}" for n in range(256)]}}))
    message = rig.statuses[0]["conditions"][0]["message"]
    assert MESSAGE_BYTES - 1024 < len(message.encode()) <= MESSAGE_BYTES
    assert message.endswith("more errors")
