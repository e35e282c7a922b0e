"""The load model: what a pod adds to a node's overload while it runs there.

`gathering` plays days of the training part and asks, at a part of their decisions, what one more pod like the one at
hand would add to each node (`hindsight` answers when the day is over); `judging` is who places the pods meanwhile.
`learning` fits LightGBM, `exporting` writes ONNX, `rounds` goes from the closed form to a model that was also asked
where it leads itself. `evaluating` plays policies against each other on days and machines not trained on.
"""
