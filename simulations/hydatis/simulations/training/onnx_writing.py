"""Writes ONNX graphs operator by operator: nodes and constants are named as they come, so the same calls give the same
bytes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import DTypeLike, NDArray
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 8
"""Old enough for any ONNX Runtime that is still in use."""
PRODUCER = "hydatis"


class OnnxGraph:
    """A graph under way, from one input to one output, both float32 with a row for each node, pod or machine."""

    def __init__(self, *, floats: DTypeLike = np.float32) -> None:
        """`floats` is the type of constants that are no whole numbers."""
        self.nodes: list[Any] = []
        self._constants: list[Any] = []
        self._floats = floats

    def constant(self, values: NDArray[Any] | float) -> str:
        """Return the name of a value that the file holds."""
        name = f"constant_{len(self._constants)}"
        array = np.asarray(values)
        self._constants.append(
            numpy_helper.from_array(array.astype(self._floats) if array.dtype.kind == "f" else array, name)
        )
        return name

    def add(self, operator: str, *inputs: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        """Return the name of the operator's first output."""
        names = list(outputs) or [f"{operator.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names[0]

    def written(
        self, name: str, *, source: tuple[str, int], output: str, shape: Sequence[int | str], opsets: dict[str, int]
    ) -> bytes:
        """Return the file. `source` is the input with its width, `shape` that of the output, `opsets` the version of
        each domain of operators.
        """
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, ["rows", source[1]])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, list(shape))],
            self._constants,
        )
        return sealed(helper.make_model(graph), opsets)


def sealed(model: Any, opsets: dict[str, int]) -> bytes:
    """Check a model, and return the file with the versions that are stated of it."""
    model.ir_version = IR_VERSION
    model.producer_name = PRODUCER
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in opsets.items())
    onnx.checker.check_model(model, full_check=True)
    written: bytes = model.SerializeToString()
    return written
