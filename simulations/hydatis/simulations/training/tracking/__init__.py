"""What a training leaves behind: a run in MLflow and a version of a model in its registry.

`trained_model` is what every training hands over, `card` writes the text that goes with it, `registering` puts both
into MLflow, `opening` finds the store, `naming` holds the names under which the registry is read again. Nothing else
of the project knows how MLflow is used.
"""
