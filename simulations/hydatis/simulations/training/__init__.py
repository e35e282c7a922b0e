"""Training of the models that score nodes. Needs the extra `models` (`pip install 'hydatis[models]'`), and for agents
that learn to place pods the extra `training`. Nothing of it runs in the operator: what it makes is ONNX.
"""
