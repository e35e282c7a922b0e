"""The array types of the core. A row is a node; tables grow by doubling, so an array may be longer than there are
nodes.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]
Int64Array: TypeAlias = NDArray[np.int64]
Int32Array: TypeAlias = NDArray[np.int32]
Float32Array: TypeAlias = NDArray[np.float32]
Float64Array: TypeAlias = NDArray[np.float64]

Rows: TypeAlias = NDArray[np.intp]
"""Row numbers, each at most once, in no particular order."""

NO_ROWS: Rows = np.zeros(0, dtype=np.intp)
