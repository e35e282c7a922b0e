"""Clusters with the shapes of real nodes."""

import numpy as np

from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.traces.forms import NodeList


def draw_nodes(parameters: Parameters, count: int, random: np.random.Generator) -> NodeList:
    """Draw `count` nodes; each shape gets its share, only the rest is drawn, and the order is random."""
    shares = np.array([shape.share for shape in parameters.nodes])
    exact = count * shares / shares.sum()
    numbers = np.floor(exact).astype(np.int64)
    rest = exact - numbers
    missing = count - int(numbers.sum())
    if missing:
        drawn = random.choice(len(rest), size=missing, replace=False, p=rest / rest.sum())
        numbers[drawn] += 1
    order = random.permutation(np.repeat(np.arange(len(numbers)), numbers))
    shapes = [parameters.nodes[number] for number in order.tolist()]
    return NodeList(
        names=tuple(f"node-{number:05d}" for number in range(count)),
        cpu_millicores=np.array([shape.cpu_millicores for shape in shapes], dtype=np.int64),
        memory_mib=np.array([shape.memory_mib for shape in shapes], dtype=np.int64),
        gpus=np.array([shape.gpus for shape in shapes], dtype=np.int64),
        gpu_models=tuple(shape.gpu_model for shape in shapes),
    )
