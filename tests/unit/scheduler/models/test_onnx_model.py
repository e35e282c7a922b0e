"""What an ONNX file must be to be used, and which predictions come of it."""

import random
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper

from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model import Model
from hydatis.scheduler.models.onnx_graph import MOST_ELEMENTS, MOST_NODES
from hydatis.scheduler.models.onnx_model import OnnxModel
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.weights import MOST_BYTES, digest_of
from hydatis.scheduler.testing_onnx import floats, graph_file, linear, tree

TO_COLUMN = helper.make_node("ReduceSum", ["p", "axes"], ["y"], keepdims=1)
IDENTITY = helper.make_node("Identity", ["x"], ["y"])
AXES = helper.make_tensor("axes", TensorProto.INT64, [1], [1])


def load(data: bytes, width: int | None = 3) -> OnnxModel:
    return OnnxModel.load(data, kind=ModelKind.LOAD, name="m", version="1", schema_hash="h", width=width)


def refusal(data: bytes, width: int | None = 3) -> ModelRefused:
    with pytest.raises(ModelRefused) as raised:
        load(data, width)
    return raised.value


def changed(data: bytes, change: Any) -> bytes:
    model = onnx.load_model_from_string(data)
    change(model)
    return bytes(model.SerializeToString())


def test_a_linear_model_predicts_the_weighted_sum() -> None:
    data = linear((1.0, 2.0, 3.0), bias=0.5)
    model: Model = load(data)
    rows = np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32)
    assert model.predict(rows).tolist() == [1.5, 5.5]
    assert (model.kind, model.name, model.version, model.schema_hash) == (ModelKind.LOAD, "m", "1", "h")
    assert model.digest == digest_of(data)


def test_a_tree_predicts_its_leaves() -> None:
    rows = np.array([[-1, 0, 0], [1, 0, 0]], dtype=np.float32)
    assert load(tree()).predict(rows).tolist() == [10.0, 20.0]


def test_a_judged_file_is_the_same_model_without_another_look_at_its_graph() -> None:
    data, rows = tree(), np.array([[-1, 0, 0], [1, 0, 0]], dtype=np.float32)
    again = OnnxModel.load_judged(data, kind=ModelKind.LOAD, name="m", version="1", schema_hash="h", width=3)
    assert again.predict(rows).tolist() == load(data).predict(rows).tolist()
    assert again.digest == load(data).digest
    with pytest.raises(ModelRefused, match="NotRunnable"):
        OnnxModel.load_judged(linear(), kind=ModelKind.LOAD, name="m", version="1", schema_hash="h", width=4)


def test_no_rows_give_no_predictions_and_another_width_is_a_fault_of_the_caller() -> None:
    model = load(linear())
    assert model.predict(np.zeros((0, 3), dtype=np.float32)).shape == (0,)
    with pytest.raises(ValueError, match=r"m takes \(rows, 3\) features, not \(2, 4\)"):
        model.predict(np.zeros((2, 4), dtype=np.float32))


def test_an_output_without_its_second_dimension_will_do() -> None:
    nodes = [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)]
    assert load(graph_file(nodes, initializers=[AXES], output_shape=(None,))).predict(
        np.ones((2, 3), dtype=np.float32)
    ).tolist() == [3.0, 3.0]


def test_a_small_network_with_a_normalization_is_admitted() -> None:
    nodes = [
        helper.make_node("LayerNormalization", ["x", "scale"], ["n"]),
        helper.make_node("Gemm", ["n", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["p"]),
        TO_COLUMN,
    ]
    values = [floats("scale", [1, 1, 1]), floats("w", np.eye(3)), floats("b", [0, 0, 0]), AXES]
    assert load(graph_file(nodes, initializers=values)).predict(np.ones((4, 3), dtype=np.float32)).shape == (4,)


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def hidden_external(model: onnx.ModelProto) -> None:
    tensor = floats("c", [1.0])
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))


def with_subgraph() -> bytes:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 1])],
    )
    node = helper.make_node("If", ["condition"], ["y"], then_branch=branch, else_branch=branch)
    condition = helper.make_tensor("condition", TensorProto.BOOL, [], [True])
    return graph_file([node], width=1, initializers=[condition])


def with_function() -> bytes:
    function = helper.make_function(
        "", "Mine", ["a"], ["b"], [helper.make_node("Identity", ["a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    return graph_file([helper.make_node("Mine", ["x"], ["y"])], width=1, functions=[function])


def expanded_bomb() -> bytes:
    shape = helper.make_tensor("shape", TensorProto.INT64, [3], [2**20, 2**20, 2**10])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["total"], keepdims=0),
        helper.make_node("Add", ["x", "total"], ["y"]),
    ]
    return graph_file(nodes, width=1, initializers=[shape])


def texts() -> TensorProto:
    return TensorProto(name="t", data_type=TensorProto.STRING, dims=[1], string_data=[b"x"])


def claimed_size(model: onnx.ModelProto) -> None:
    model.graph.value_info.append(helper.make_tensor_value_info("p", TensorProto.FLOAT, [MOST_ELEMENTS, 2]))


HOSTILE: dict[str, tuple[bytes, int | None, Refusal]] = {
    "nothing": (b"", 3, Refusal.NOT_ONNX),
    "a text": (b"def predict(x): ...", 3, Refusal.NOT_ONNX),
    "a pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.", 3, Refusal.NOT_ONNX),
    "half a file": (linear()[: len(linear()) // 2], 3, Refusal.NOT_ONNX),
    "too many bytes": (bytes(MOST_BYTES + 1), 3, Refusal.TOO_LARGE),
    "an unknown operator": (graph_file([helper.make_node("Conv", ["x"], ["y"])]), 3, Refusal.UNKNOWN_OPERATOR),
    "an operator of another domain": (
        graph_file([helper.make_node("Run", ["x"], ["y"], domain="com.example")], domains=["com.example"]),
        3,
        Refusal.UNKNOWN_OPERATOR,
    ),
    "a tree of the wrong domain": (
        graph_file([helper.make_node("TreeEnsembleRegressor", ["x"], ["y"])]),
        3,
        Refusal.UNKNOWN_OPERATOR,
    ),
    "data in another file": (changed(linear(), external), 3, Refusal.EXTERNAL_DATA),
    "data of an attribute in another file": (changed(linear(), hidden_external), 3, Refusal.EXTERNAL_DATA),
    "a branch": (with_subgraph(), 1, Refusal.SUBGRAPH),
    "a function": (with_function(), 1, Refusal.LOCAL_FUNCTION),
    "a tree that leads in a circle": (tree(right=0), 3, Refusal.CYCLIC_TREE),
    "a tree that leads nowhere": (tree(right=9), 3, Refusal.NOT_ONNX),
    "another number of features": (linear(), 4, Refusal.WRONG_SHAPE),
    "a fixed number of rows": (
        graph_file([helper.make_node("Identity", ["x"], ["y"])], rows=5),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "an input of doubles": (
        graph_file([helper.make_node("Cast", ["x"], ["y"], to=1)], width=1, input_type=TensorProto.DOUBLE),
        1,
        Refusal.WRONG_TYPE,
    ),
    "an output of integers": (
        graph_file([helper.make_node("Cast", ["x"], ["y"], to=7)], width=1, output_type=TensorProto.INT64),
        1,
        Refusal.WRONG_TYPE,
    ),
    "an output of three columns": (
        graph_file([IDENTITY], output_shape=(None, 3)),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "an output that hides its three columns": (
        graph_file([IDENTITY], output_shape=(None, None)),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "one answer to all rows": (
        graph_file([helper.make_node("ReduceMean", ["x"], ["y"], keepdims=1)], output_shape=(None, None)),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "two outputs": (
        changed(
            linear(),
            lambda model: model.graph.output.append(helper.make_tensor_value_info("p", TensorProto.FLOAT, [None, 1])),
        ),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "two inputs": (
        changed(
            linear(),
            lambda model: model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [None, 3])),
        ),
        3,
        Refusal.WRONG_SHAPE,
    ),
    "NaN among its weights": (linear((float("nan"), 1.0, 1.0)), 3, Refusal.NOT_FINITE),
    "the logarithm of what may be negative": (
        graph_file([helper.make_node("Log", ["x"], ["y"])], width=1),
        1,
        Refusal.NOT_FINITE,
    ),
    "a mean over the batch": (
        graph_file(
            [
                helper.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
                helper.make_node("Sub", ["x", "m"], ["y"]),
            ],
            width=1,
        ),
        1,
        Refusal.BATCH_DEPENDENT,
    ),
    "a tensor that grows from a few bytes": (expanded_bomb(), 1, Refusal.TOO_LARGE),
    "a tensor said to be huge": (changed(linear(), claimed_size), 3, Refusal.TOO_LARGE),
    "too many nodes": (
        graph_file(
            [helper.make_node("Identity", ["x"], [f"p{number}"]) for number in range(MOST_NODES)]
            + [helper.make_node("Identity", ["x"], ["y"])],
            width=1,
        ),
        1,
        Refusal.TOO_LARGE,
    ),
    "a node whose input is nowhere": (
        graph_file([helper.make_node("Identity", ["nowhere"], ["y"])], width=1),
        1,
        Refusal.NOT_LOADABLE,
    ),
    "rows beyond the end": (
        graph_file(
            [helper.make_node("Gather", ["x", "index"], ["y"], axis=0)],
            width=1,
            initializers=[helper.make_tensor("index", TensorProto.INT64, [1], [5])],
            output_shape=(None, 1),
        ),
        1,
        Refusal.WRONG_SHAPE,
    ),
    "a tensor of texts": (
        changed(
            linear(),
            lambda model: model.graph.initializer.append(texts()),
        ),
        3,
        Refusal.WRONG_TYPE,
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_its_reason_and_a_remedy(what: str, capfd: pytest.CaptureFixture[str]) -> None:
    data, width, reason = HOSTILE[what]
    refused = refusal(data, width)
    assert refused.reason is reason, refused.message
    assert refused.message.startswith("spec.weights ")
    assert ": " in refused.message
    assert len(refused.message) < 400
    assert refused.message.isprintable()
    assert capfd.readouterr() == ("", "")


def test_an_attribute_of_an_odd_kind_is_refused() -> None:
    def change(model: onnx.ModelProto) -> None:
        model.graph.node[0].attribute.add(name="odd", type=AttributeProto.SPARSE_TENSOR)

    assert refusal(changed(linear(), change)).reason is Refusal.NOT_ONNX


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_are_refused_or_predict_finite_numbers_and_never_fail_otherwise(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, and no secret
    for data in (linear(), tree()):
        for _ in range(60):
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            try:
                model = load(bytes(damaged), None)
            except ModelRefused:
                continue
            assert np.isfinite(model.predict(np.zeros((2, model.width), dtype=np.float32))).all()
