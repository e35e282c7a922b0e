"""Judges the trees of an ONNX node: a path from a root that never reaches a leaf would never end.

Source: TreeEnsembleRegressor (ai.onnx.ml 1 and 3) keeps nodes with ids of their tree; TreeEnsemble (ai.onnx.ml 5) keeps
one list of inner nodes and one of leaves. A node may have several parents, which is how sets are tested.
"""

from collections.abc import Sequence

import numpy as np
from onnx import AttributeProto, NodeProto

from hydatis.scheduler.models.refusal import ModelRefused, Refusal


def check_trees(node: NodeProto) -> None:
    """Refuse a node with a tree that has no end, or that leads out of its own lists. Raises ModelRefused."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    if node.op_type == "TreeEnsembleRegressor":
        _check_by_tree(attributes)
    elif node.op_type == "TreeEnsemble":
        _check_lists(attributes)


def _check_by_tree(attributes: dict[str, AttributeProto]) -> None:
    trees, ids = _integers(attributes, "nodes_treeids"), _integers(attributes, "nodes_nodeids")
    true, false = _integers(attributes, "nodes_truenodeids"), _integers(attributes, "nodes_falsenodeids")
    modes = list(attributes["nodes_modes"].strings) if "nodes_modes" in attributes else []
    if len({len(trees), len(ids), len(true), len(false), len(modes)}) != 1:
        raise _malformed("lists of different lengths")
    index = {key: position for position, key in enumerate(zip(trees, ids, strict=True))}
    if len(index) != len(ids):
        raise _malformed("two nodes of one id")
    children: list[tuple[int, ...]] = []
    for tree, left, right, mode in zip(trees, true, false, modes, strict=True):
        if mode == b"LEAF":
            children.append(())
        elif (tree, left) in index and (tree, right) in index:
            children.append((index[tree, left], index[tree, right]))
        else:
            raise _malformed("a branch to a node that is not there")
    _check_ends(children)


def _check_lists(attributes: dict[str, AttributeProto]) -> None:
    true, false = _integers(attributes, "nodes_truenodeids"), _integers(attributes, "nodes_falsenodeids")
    true_leaf, false_leaf = _integers(attributes, "nodes_trueleafs"), _integers(attributes, "nodes_falseleafs")
    leaves, roots = len(_integers(attributes, "leaf_targetids")), _integers(attributes, "tree_roots")
    if len({len(true), len(false), len(true_leaf), len(false_leaf)}) != 1:
        raise _malformed("lists of different lengths")
    count = len(true)
    children: list[tuple[int, ...]] = []
    for branches in zip(zip(true, true_leaf, strict=True), zip(false, false_leaf, strict=True), strict=True):
        if not all(0 <= target < (leaves if is_leaf else count) for target, is_leaf in branches):
            raise _malformed("a branch to a node that is not there")
        children.append(tuple(target for target, is_leaf in branches if not is_leaf))
    if not all(0 <= root < max(count, 1) for root in roots):
        raise _malformed("a root that is not there")
    _check_ends(children)


def _check_ends(children: Sequence[tuple[int, ...]]) -> None:
    """Take off nodes that nothing leads to, over and over; what is left at the end leads in circles."""
    parents = np.bincount([child for pair in children for child in pair], minlength=len(children)).tolist()
    free = [node for node, count in enumerate(parents) if not count]
    taken = 0
    while free:
        taken += 1
        for child in children[free.pop()]:
            parents[child] -= 1
            if not parents[child]:
                free.append(child)
    if taken != len(children):
        raise ModelRefused(
            Refusal.CYCLIC_TREE, "spec.weights has a tree whose branches lead in a circle: export the model again"
        )


def _integers(attributes: dict[str, AttributeProto], name: str) -> list[int]:
    return list(attributes[name].ints) if name in attributes else []


def _malformed(what: str) -> ModelRefused:
    return ModelRefused(Refusal.NOT_ONNX, f"spec.weights has trees with {what}: export the model again")
