"""Makes `kubernetes_asyncio` cheap to import; the package installs it before anything imports that (kopf does, too).

The client package imports over a thousand generated modules (typed models and API classes), of which HYDATIS uses none:
they cost about 1.5 s of start-up and 60 MiB of memory on a 2-core machine. PEP 562 lets a package resolve its names on
first use, so `kubernetes_asyncio.client`, its `api` and its `models` are put in place as packages that do so. Every
name stays available; nothing is replaced or left out.
"""

import importlib
import re
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from typing import Any

_CLIENT = "kubernetes_asyncio.client"
_MODELS = f"{_CLIENT}.models"


def _module_name(class_name: str) -> str:
    """The generator's own rule from class to file name: `V1CSIDriver` lives in `v1_csi_driver`."""
    spaced = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()


def _resolve(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in ("OpenApiException", "ApiException") or (name.startswith("Api") and name.endswith("Error")):
        return getattr(importlib.import_module(f"{_CLIENT}.exceptions"), name)
    for package in (_CLIENT, f"{_CLIENT}.api", _MODELS):
        module = f"{package}.{_module_name(name)}"
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
    raise AttributeError(f"module {_CLIENT!r} has no attribute {name!r}")


def _install(spec: ModuleSpec) -> None:
    package = module_from_spec(spec)
    package.__dict__["__getattr__"] = _resolve
    sys.modules[spec.name] = package
    parent, _, name = spec.name.rpartition(".")
    if parent in sys.modules:
        setattr(sys.modules[parent], name, package)


def install() -> bool:
    """Put the lazy packages in place, unless the client is already imported or laid out otherwise; whether it did."""
    if "kubernetes_asyncio" in sys.modules:
        return False
    root = PathFinder.find_spec("kubernetes_asyncio")
    if root is None or root.submodule_search_locations is None:
        return False
    client = PathFinder.find_spec(_CLIENT, root.submodule_search_locations)
    if client is None or client.submodule_search_locations is None:
        return False
    api = PathFinder.find_spec(f"{_CLIENT}.api", client.submodule_search_locations)
    models = PathFinder.find_spec(_MODELS, client.submodule_search_locations)
    if api is None or models is None:
        return False
    for spec in (client, api, models):
        _install(spec)
    return True
