"""Makes mutants of the decision core's modules: copies with one small change each. cosmic-ray's operators say which.

A mutant is described here and made only where it is tried, since parsing takes longer than most trials. Annotations are
left alone, for they say nothing at run time, and so are the arguments of decorators.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydatis.sandbox.mutating.errors import MutateError

PACKAGE = "hydatis.scheduler"

RULES = (
    "plugins.*",
    "attach_limits",
    "declared_features",
    "displaceable",
    "disruption_budgets",
    "filter_args",
    "filtering",
    "host_ports",
    "inspecting",
    "label_selectors",
    "neighbours",
    "node_images",
    "node_labels",
    "node_selectors",
    "nominations",
    "normalizing",
    "placed_pods",
    "pod_identity",
    "pod_patterns",
    "pod_requests",
    "pod_volumes",
    "preempting",
    "prefiltering",
    "quantities",
    "resources",
    "selecting",
    "spread_constraints",
    "storage.*",
    "tolerations",
    "topology",
    "volume_finding",
    "volume_reach",
    "volumes_in_use",
    "what_if",
    "workloads",
)
"""The modules that hold kube-scheduler's rules; `.*` stands for every module of a package, but for those of HYDATIS."""

_NOT_KUBE_SCHEDULERS = frozenset({f"{PACKAGE}.plugins.expected_overload"})
"""kube-scheduler has nothing to compare them with."""

_WITH_ARGUMENTS = ("VariableReplacer", "VariableInserter")
"""Operators of cosmic-ray that want to be told a cause and an effect; the others need nothing."""

_NEAR: Mapping[str, tuple[str, ...]] = {
    "Eq": ("NotEq", "GtE"),
    "NotEq": ("Eq", "Gt"),
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
    "Add": ("Sub", "Mul"),
    "Sub": ("Add", "Mod"),
    "Mul": ("Add", "FloorDiv"),
    "Div": ("FloorDiv", "Mul"),
    "FloorDiv": ("Div", "Mod"),
    "Mod": ("FloorDiv", "Sub"),
    "Pow": ("Mul", "Add"),
    "RShift": ("LShift", "BitAnd"),
    "LShift": ("RShift", "BitOr"),
    "BitOr": ("BitAnd",),
    "BitAnd": ("BitOr", "BitXor"),
    "BitXor": ("BitOr", "BitAnd"),
}
"""cosmic-ray's name of an operator to those that come nearest to it."""

_COMPOUND = ("if_stmt", "for_stmt", "while_stmt", "with_stmt", "try_stmt", "funcdef", "classdef", "decorated")
_HEADS = ("keyword",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module."""

    module: str
    """Its whole name."""
    operator: str
    """cosmic-ray's name for the kind of change."""
    occurrence: int
    """Which of the places is changed at which the operator can change the module."""
    first_line: int
    last_line: int
    """The statement around the change."""
    runs_on_import: bool
    """Whether that statement runs when the module is imported, and so for every case."""


def modules(patterns: tuple[str, ...] = RULES) -> dict[str, Path]:
    """Return the modules meant, by whole name, each with its file. Raises `MutateError`."""
    found: dict[str, Path] = {}
    for pattern in patterns:
        name = f"{PACKAGE}.{pattern.removesuffix('.*')}"
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise MutateError(f"--module {pattern} is no module of {PACKAGE}; name one such as plugins.node_ports.")
        path = Path(spec.origin)
        if pattern.endswith(".*"):
            inside = sorted(path.parent.glob("*.py"))
            named = {f"{name}.{file.stem}": file for file in inside if file.stem != "__init__"}
            found |= {module: file for module, file in named.items() if module not in _NOT_KUBE_SCHEDULERS}
        else:
            found[name] = path
    return found


def mutants_of(module: str, source: str, *, every_replacement: bool = False) -> list[Mutant]:
    """Return the mutants of a module, in the order of the operators.

    Without `every_replacement` an operator of the language gives way only to those nearest to it, which are the hardest
    to notice: `<` to `<=` and `>=`, `+` to `-` and `*`.
    """
    from cosmic_ray.ast import ast_nodes  # noqa: PLC0415  a development tool
    from cosmic_ray.plugins import get_operator, operator_names  # noqa: PLC0415

    nodes = [(node, _is_annotation(node)) for node in ast_nodes(parsed(source))]
    made = []
    for name in operator_names():
        if name.endswith(_WITH_ARGUMENTS) or not (every_replacement or _near(name)):
            continue
        operator = get_operator(name)()
        occurrence = 0
        for node, annotation in nodes:
            for _ in operator.mutation_positions(node):
                if not annotation:
                    made.append(Mutant(module, name, occurrence, *_place(node)))
                occurrence += 1
    return made


def _near(operator: str) -> bool:
    """Tell whether an operator of cosmic-ray replaces one of the language by a near one, or does something else."""
    kind, _, change = operator.removeprefix("core/").partition("_")
    if kind not in {"ReplaceBinaryOperator", "ReplaceComparisonOperator"}:
        return True
    old, _, new = change.partition("_")
    return new in _NEAR[old]


def mutated(mutant: Mutant, source: str, tree: Any = None) -> str:
    """Return the module's source with the change; `tree`, the parsed source, is spoilt where it is given."""
    from cosmic_ray.mutating import MutationVisitor  # noqa: PLC0415  a development tool
    from cosmic_ray.plugins import get_operator  # noqa: PLC0415

    visitor = MutationVisitor(mutant.occurrence, get_operator(mutant.operator)())
    changed: str = visitor.walk(parsed(source) if tree is None else tree).get_code()
    if not visitor.mutation_applied:
        raise MutateError(f"{mutant.module} changed while its mutants were tried; start again.")
    return changed


def parsed(source: str) -> Any:
    """Return cosmic-ray's tree of a source."""
    from cosmic_ray.ast import get_ast  # noqa: PLC0415  a development tool

    return get_ast(source)


def _ancestors(node: Any) -> Iterator[Any]:
    while node is not None:
        yield node
        node = node.parent


def _place(node: Any) -> tuple[int, int, bool]:
    """Return the first and last line of the innermost statement, or of the part of a compound one, and whether it runs
    when the module is imported.
    """
    for around in _ancestors(node):
        if around.type == "simple_stmt":
            last = around.end_pos[0] - (not around.end_pos[1])
            return around.start_pos[0], last, not _in_function(around)
        parent = around.parent
        if parent is not None and parent.type in _COMPOUND:
            beside = parent.children
            here = next(position for position, child in enumerate(beside) if child is around)
            head = next(child for child in reversed(beside[: here + 1]) if child.type in _HEADS or child is beside[0])
            colon = next((child for child in beside[here:] if child == ":"), around)
            return head.start_pos[0], colon.end_pos[0], parent.type == "funcdef" or not _in_function(parent)
    return node.start_pos[0], node.end_pos[0], not _in_function(node)


def _in_function(statement: Any) -> bool:
    return any(around.type in {"funcdef", "lambdef"} for around in _ancestors(statement.parent))


def _is_annotation(node: Any) -> bool:
    """Tell whether the node is in an annotation, or says how a class is made, as `frozen=True` does."""
    for around in _ancestors(node):
        parent = around.parent
        if around.type == "decorator" and around is not node:
            return True
        if parent is None:
            return False
        if parent.type == "annassign" and around is parent.children[1]:
            return True
        if parent.type == "tfpdef" and around is parent.children[-1]:
            return True
        if parent.type == "funcdef" and around is parent.annotation:
            return True
    return False
