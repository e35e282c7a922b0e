"""The placement agent: a Q-network that looks at each node by itself, learnt in `Hydatis/Placement-v0`.

`network` is the function of one node, `policy` and `agent` what Stable-Baselines3 runs, `replay` what it remembers,
`learning` the training, `exporting` the served model, `evaluating` and `reporting` how good it is. Needs PyTorch and
Stable-Baselines3 (`pip install 'hydatis[training]'`).
"""
