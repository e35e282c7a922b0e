import pytest

pytest.importorskip("pyod", reason="detectors need the extra `models`")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is a dependency of hydatis")
