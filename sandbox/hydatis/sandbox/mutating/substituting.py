"""Puts a changed source in place of a module's own, in a process made for that and nothing else.

Only what imports the module, directly or through others, is imported anew: the rest is the same, changed or not.
"""

import ast
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType

_ANEW = ("hydatis.scheduler.", "hydatis.sandbox.verifying.", "hydatis.sandbox.mutating.comparing")
"""Modules that may depend on the core, and that a trial uses."""


def substitute(module: str, path: Path, source: str) -> None:
    """From here on importing `module`, or anything that depends on it, gives the changed one."""
    for name in dependents(module):
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(module, path, source))


def dependents(module: str) -> set[str]:
    """Return the modules that are imported and depend on `module`, and itself."""
    found = {module} & sys.modules.keys()
    imported = imports()
    while more := {name for name, names in imported.items() if name not in found and names & found}:
        found |= more
    return found


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """Map each module that has been imported by now to those that its source imports."""
    files = {
        name: module.__file__
        for name, module in sys.modules.items()
        if name.startswith(_ANEW) and getattr(module, "__file__", None)
    }
    return MappingProxyType({name: frozenset(_imported_by(Path(str(file)))) for name, file in files.items()})


def _imported_by(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, module: str, path: Path, source: str) -> None:
        self._module = module
        self._loader = _Loader(module, str(path), source)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self._loader, origin=self._loader.path)
        spec.has_location = True
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, module: str, path: str, source: str) -> None:
        super().__init__(module, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        # Nothing of it may end in a cache of compiled code.
        with warnings.catch_warnings(action="ignore"):
            return compile(self._source, self.path, "exec")
