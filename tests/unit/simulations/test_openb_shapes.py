import gzip
from pathlib import Path

import numpy as np
import pytest

from hydatis.simulations.openb_shapes import draw_pod_shapes, read_pod_shapes
from hydatis.simulations.traces.errors import TraceError

HEADER = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n"


def trace(folder: Path, text: str) -> dict[str, str]:
    path = folder / "openb" / "openb_pod_list_default.first70.csv.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()))
    return {"HYDATIS_DATA": str(folder)}


def test_requests_are_read_and_a_shared_gpu_counts_as_one(tmp_path: Path) -> None:
    shapes = read_pod_shapes(trace(tmp_path, HEADER + "a,12000,16384,1,460,\nb,1000,0,0,0,\nc,4000,8192,8,1000,G2\n"))
    assert [(s.cpu_millicores, s.memory_mib, s.gpus) for s in shapes] == [
        (12000, 16384, 1),
        (1000, 0, 0),
        (4000, 8192, 8),
    ]


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(TraceError, match="HYDATIS_DATA is not set; set it to the folder"):
        read_pod_shapes({})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="holds no openb/openb_pod_list_"):
        read_pod_shapes({"HYDATIS_DATA": str(tmp_path)})


def test_pods_repeat_only_when_the_trace_is_too_short(tmp_path: Path) -> None:
    shapes = read_pod_shapes(trace(tmp_path, HEADER + "".join(f"p,{i},1,0,0,\n" for i in range(20))))
    assert len({shape.cpu_millicores for shape in draw_pod_shapes(shapes, 20, np.random.default_rng(1))}) == 20
    assert len(draw_pod_shapes(shapes, 50, np.random.default_rng(1))) == 50
