"""The load forecast: what CPU a machine will use over the next minutes, in the middle and at most in 95 of 100 cases.

`series` are the machines, `features` what a forecast sees of one, `forecaster` the gradient-boosted trees (LightGBM),
`calibrating` what holds the upper bound to its promise, `exporting` writes ONNX. `evaluating` measures on machines and
days that were not trained on.
"""
