"""A model tried in a process of its own: what it answers, and what happens when it gives no answer."""

import base64
import itertools
import time

import pytest
from onnx import TensorProto, helper

from hydatis.operator import model_trial
from hydatis.operator.model_trial import TrialPassed, try_model
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import ModelSpec, inline_manifest, parse_model
from hydatis.scheduler.models.onnx_graph import MOST_FEATURES
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import Weights
from hydatis.scheduler.testing_onnx import floats, graph_file, linear


def question(data: bytes) -> tuple[ModelSpec, Weights]:
    spec = parse_model(inline_manifest(data, name="m", kind=ModelKind.LOAD, version="1", schema_hash="0" * 64))
    return spec, Weights((base64.b64decode(spec.inline),), True, "spec.weights.inline")


async def refusal(data: bytes, width: int | None = 3) -> ModelRefused:
    with pytest.raises(ModelRefused) as raised:
        await try_model(*question(data), width)
    return raised.value


async def test_a_sound_model_passes_packed_or_not() -> None:
    data = linear()
    spec, weights = question(data)
    assert await try_model(spec, weights, 3) == TrialPassed(len(data), 3)
    assert await try_model(spec, Weights((data[:50], data[50:]), False, "p"), None) == TrialPassed(len(data), 3)


async def test_a_refusal_comes_back_with_reason_and_message() -> None:
    refused = await refusal(linear(), 4)
    assert refused.reason is Refusal.WRONG_SHAPE
    assert "float32 input of the shape (any, 4)" in refused.message


async def test_what_takes_all_memory_ends_the_trial_alone() -> None:
    factor = helper.make_tensor("factor", TensorProto.INT64, [2], [2**24, 2**14])
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Mul", ["s", "factor"], ["huge"]),
        helper.make_node("ConstantOfShape", ["huge"], ["z"]),
        helper.make_node("ReduceMax", ["z"], ["p"], keepdims=0),
        helper.make_node("Add", ["x", "p"], ["y"]),
    ]
    refused = await refusal(graph_file(nodes, width=1, initializers=[factor]), 1)
    assert refused.reason in (Refusal.TRIAL_FAILED, Refusal.NOT_RUNNABLE), refused.message


async def test_a_trial_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_trial, "TRIAL_SECONDS", 0.05)
    started = time.monotonic()
    refused = await refusal(linear())
    assert refused.reason is Refusal.TRIAL_FAILED
    assert "did not end within" in refused.message
    assert time.monotonic() - started < 10


async def test_a_slow_model_is_refused() -> None:
    names = ["positive", *(f"p{number}" for number in range(30))]
    nodes = [helper.make_node("Abs", ["x"], ["positive"])]
    nodes += [helper.make_node("Pow", [old, "exponent"], [new]) for old, new in itertools.pairwise(names)]
    nodes.append(helper.make_node("ReduceMean", [names[-1]], ["y"], axes=[1], keepdims=1))
    data = graph_file(nodes, width=MOST_FEATURES, initializers=[floats("exponent", [0.99])])
    refused = await refusal(data, MOST_FEATURES)
    assert refused.reason is Refusal.TOO_SLOW, refused.message
    assert "s for 1000 nodes, more than 0.5 s" in refused.message
