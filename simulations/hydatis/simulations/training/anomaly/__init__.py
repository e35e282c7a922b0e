"""The anomaly model: how unlike its own past a node behaves, 0 to 100.

`features` makes rows of metrics comparable, `detectors` (PyOD) say how far each row is from those of the training part,
`calibrating` turns that into how rare it was there, `smoothing` follows it over time, `windowed` puts these together;
`sliding` refits on a window of bounded length, `exporting` writes ONNX. `evaluating` measures on machines whose
anomalies are labelled.
"""
