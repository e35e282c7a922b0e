"""Judges an ONNX graph before anything runs it: only known operators, no way out of the file, bounded tensors.

Invariants: a graph that passes holds no code, no subgraph, no function and no reference to another file; every tensor
whose size can be told beforehand is within bounds; its trees have an end.
Source of the format: onnx.proto of ONNX 1.23 and the operator sets `ai.onnx` and `ai.onnx.ml`.
"""

from collections.abc import Iterable, Iterator

import onnx
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

from hydatis.scheduler.field_errors import quoted
from hydatis.scheduler.models.refusal import ModelRefused, Refusal
from hydatis.scheduler.models.trees import check_trees

MOST_NODES = 4096
MOST_ELEMENTS = 2**24
"""Of one tensor: 64 MiB of float32."""
MOST_FEATURES = 4096
"""Columns of the input."""

OPERATORS: frozenset[str] = frozenset(
    (
        # Arithmetic and activations.
        *("Add", "Sub", "Mul", "Div", "Pow", "Mod", "Neg", "Abs", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Erf"),
        *("Floor", "Ceil", "Round", "Clip", "Min", "Max", "Sum", "Mean"),
        *("Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid", "Tanh", "Softplus"),
        *("Softsign", "HardSwish", "Mish", "Softmax", "LogSoftmax"),
        # Linear algebra and normalization.
        *("MatMul", "Gemm", "LayerNormalization", "BatchNormalization", "LpNormalization"),
        # Comparison and logic.
        *("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Not", "Xor", "Where"),
        *("IsNaN", "IsInf"),
        # Reduction and selection.
        *("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2"),
        *("ReduceSumSquare", "ReduceLogSumExp", "ArgMax", "ArgMin", "TopK", "Gather", "GatherElements", "GatherND"),
        # Shape.
        *("Cast", "CastLike", "Identity", "Constant", "ConstantOfShape", "Shape", "Size", "Reshape", "Flatten"),
        *("Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice", "Expand", "Dropout"),
    )
)
"""Of the domain `ai.onnx`: what trees, small networks, distances and projections are made of."""
ML_OPERATORS: frozenset[str] = frozenset(
    (
        *("TreeEnsemble", "TreeEnsembleRegressor", "LinearRegressor", "SVMRegressor"),
        *("Scaler", "Normalizer", "Imputer", "ArrayFeatureExtractor", "FeatureVectorizer", "Binarizer"),
    )
)
"""Of the domain `ai.onnx.ml`."""
_DOMAINS = {"": OPERATORS, "ai.onnx": OPERATORS, "ai.onnx.ml": ML_OPERATORS}
_PLAIN_ATTRIBUTES = frozenset(
    (
        *(AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING, AttributeProto.TENSOR),
        *(AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS, AttributeProto.TENSORS),
    )
)
_GRAPH_ATTRIBUTES = frozenset((AttributeProto.GRAPH, AttributeProto.GRAPHS))
_TENSOR_TYPES = frozenset(
    (
        *(TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BOOL),
        *(TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64),
    )
)


def read_graph(data: bytes) -> ModelProto:
    """Decode the bytes. Raises ModelRefused."""
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except Exception:  # the decoder's error is of a package that is not ours to name
        raise ModelRefused(
            Refusal.NOT_ONNX, "spec.weights is no ONNX file: export the model as ONNX, and pack that file"
        ) from None
    if not model.graph.node:
        raise ModelRefused(Refusal.NOT_ONNX, "spec.weights is an ONNX file without any node: export the model again")
    return model


def check_graph(model: ModelProto, width: int | None) -> int:
    """Return the number of features, which must be `width` unless that is None. Raises ModelRefused."""
    if model.functions:
        named = quoted(model.functions[0].name)
        raise ModelRefused(
            Refusal.LOCAL_FUNCTION, f"spec.weights defines the function {named}: export the model without functions"
        )
    if model.training_info:
        raise ModelRefused(Refusal.NOT_ONNX, "spec.weights holds training information: export the model for inference")
    for opset in model.opset_import:
        if opset.domain not in _DOMAINS:
            raise _unknown_operator(f"operators of the domain {quoted(opset.domain)}")
    _check_tensors(model.graph)
    _check_nodes(model.graph)
    features = _check_input(model.graph, width)
    _check_output(model.graph)
    _check_sizes(model)
    return features


def _check_nodes(graph: GraphProto) -> None:
    if len(graph.node) > MOST_NODES:
        raise ModelRefused(
            Refusal.TOO_LARGE,
            f"spec.weights has {len(graph.node)} nodes, more than the {MOST_NODES} allowed: use a smaller model",
        )
    for node in graph.node:
        # Before the operator, so that If, Loop and Scan are told as what they are.
        _check_attributes(node)
        if node.op_type not in _DOMAINS.get(node.domain, ()):
            where = f" of the domain {quoted(node.domain)}" if node.domain else ""
            raise _unknown_operator(f"the operator {quoted(node.op_type)}{where}")
        check_trees(node)


def _check_attributes(node: NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.type in _GRAPH_ATTRIBUTES or attribute.HasField("g") or attribute.graphs:
            raise ModelRefused(
                Refusal.SUBGRAPH,
                f"spec.weights has a graph within {quoted(node.op_type)}: export the model without If, Loop and Scan",
            )
        if attribute.type not in _PLAIN_ATTRIBUTES or attribute.ref_attr_name:
            raise ModelRefused(
                Refusal.NOT_ONNX,
                f"spec.weights has the attribute {quoted(attribute.name)} of {quoted(node.op_type)}, of an odd kind: "
                "export the model without it",
            )
        for tensor in (attribute.t, *attribute.tensors) if attribute.HasField("t") else attribute.tensors:
            _check_tensor(tensor)


def _check_tensors(graph: GraphProto) -> None:
    if graph.sparse_initializer:
        raise ModelRefused(Refusal.WRONG_TYPE, "spec.weights holds sparse tensors: export the model with dense ones")
    for tensor in graph.initializer:
        _check_tensor(tensor)


def _check_tensor(tensor: TensorProto) -> None:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise ModelRefused(
            Refusal.EXTERNAL_DATA,
            f"spec.weights keeps the tensor {quoted(tensor.name)} in another file: "
            "export the model with its data inside (save_as_external_data=False)",
        )
    if tensor.data_type not in _TENSOR_TYPES:
        known = tensor.data_type in TensorProto.DataType.values()
        kind = TensorProto.DataType.Name(tensor.data_type) if known else str(tensor.data_type)
        raise ModelRefused(
            Refusal.WRONG_TYPE,
            f"spec.weights holds a tensor of the type {kind}: use float32, double, int or bool",
        )
    _check_dimensions(tensor.dims, f"the tensor {quoted(tensor.name)}")


def _check_dimensions(dimensions: Iterable[int], what: str) -> None:
    """Refuse a tensor with negative or too many elements; an unknown dimension counts as 1."""
    elements = 1
    for dimension in dimensions:
        if dimension < 0:
            raise ModelRefused(
                Refusal.WRONG_SHAPE, f"spec.weights gives {what} a negative dimension: export the model again"
            )
        elements *= max(dimension, 1)
    if elements > MOST_ELEMENTS:
        raise ModelRefused(
            Refusal.TOO_LARGE,
            f"spec.weights gives {what} more than {MOST_ELEMENTS} elements: use a smaller model",
        )


def _check_input(graph: GraphProto, width: int | None) -> int:
    """Return the number of columns."""
    initialized = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in initialized]
    wanted = f"(any, {width})" if width is not None else "(any, features)"
    remedy = f"export the model with one float32 input of the shape {wanted}"
    if len(inputs) != 1:
        raise ModelRefused(Refusal.WRONG_SHAPE, f"spec.weights has {len(inputs)} inputs: {remedy}")
    shape = _float_shape(inputs[0], remedy)
    if shape is None or len(shape) != 2 or shape[0] is not None or shape[1] is None:
        raise ModelRefused(Refusal.WRONG_SHAPE, f"spec.weights has an input of the shape {_shown(shape)}: {remedy}")
    features = shape[1]
    if not 1 <= features <= MOST_FEATURES or (width is not None and features != width):
        raise ModelRefused(Refusal.WRONG_SHAPE, f"spec.weights has an input of the shape {_shown(shape)}: {remedy}")
    return features


def _check_output(graph: GraphProto) -> None:
    remedy = "export the model with one float32 output of the shape (any,) or (any, 1)"
    if len(graph.output) != 1:
        raise ModelRefused(Refusal.WRONG_SHAPE, f"spec.weights has {len(graph.output)} outputs: {remedy}")
    shape = _float_shape(graph.output[0], remedy)
    # Some exporters leave the shape out; the trial looks at what comes.
    if shape is None or (shape and shape[0] is None and shape[1:] in ([], [1], [None])):
        return
    raise ModelRefused(Refusal.WRONG_SHAPE, f"spec.weights has an output of the shape {_shown(shape)}: {remedy}")


def _float_shape(value: ValueInfoProto, remedy: str) -> list[int | None] | None:
    """Return the dimensions, None for one that is free; None for a tensor that does not say."""
    if not value.type.HasField("tensor_type") or value.type.tensor_type.elem_type != TensorProto.FLOAT:
        raise ModelRefused(Refusal.WRONG_TYPE, f"spec.weights has {quoted(value.name)} that is not float32: {remedy}")
    if not value.type.tensor_type.HasField("shape"):
        return None
    return list(_dimensions(value))


def _dimensions(value: ValueInfoProto) -> Iterator[int | None]:
    for dimension in value.type.tensor_type.shape.dim:
        yield dimension.dim_value if dimension.HasField("dim_value") else None


def _shown(shape: list[int | None] | None) -> str:
    if shape is None:
        return "it does not state"
    return f"({', '.join('any' if dimension is None else str(dimension) for dimension in shape)})"


def _check_sizes(model: ModelProto) -> None:
    """Bound every tensor whose shape the graph states, or lets infer: a constant shape may be a bomb."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise ModelRefused(
            Refusal.NOT_ONNX, f"spec.weights contradicts itself ({_first_line(error)}): export the model again"
        ) from None
    for value in (*model.graph.value_info, *inferred.graph.value_info):
        sizes = [1 if dimension is None else dimension for dimension in _dimensions(value)]
        _check_dimensions(sizes, f"the tensor {quoted(value.name)}")


def _unknown_operator(what: str) -> ModelRefused:
    return ModelRefused(
        Refusal.UNKNOWN_OPERATOR,
        f"spec.weights uses {what}, which is not among those allowed: export the model with the operators of trees, "
        "linear algebra and activations (docs/mlmodels.md lists them)",
    )


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return quoted(lines[0])
