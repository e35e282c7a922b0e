"""Versions of models in MLflow's registry, read and checked: whoever can write there may have written anything.

Invariant: a `RegisteredVersion` has a name that can be an MLModel's and tags that an MLModel takes.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hydatis.registry.errors import NotInRegistry, RegistryError, printable
from hydatis.scheduler.label_selectors import is_dns_subdomain
from hydatis.scheduler.models.kind import ModelKind
from hydatis.scheduler.models.model_spec import SCHEMA_HASH, SHA256
from hydatis.simulations.training.tracking.naming import METRIC_NAME, METRIC_PREFIX, Alias, Tag, mlmodel_name
from hydatis.simulations.training.tracking.opening import opened, shown, tracking_uri

LISTED_MAX = 100
"""Most versions of one name that are listed, the newest ones."""
METRICS_MAX = 64
"""As many as an MLModel holds."""
NAME_MAX = 200
"""Most characters of a registered name: with the version and a number for pieces it still names an object."""
_TEXT_MAX: Mapping[Tag, tuple[str, int]] = {Tag.DATA: ("data", 1024), Tag.CODE_VERSION: ("codeVersion", 256)}
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TRAINED_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_MISSING = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""What MLflow answers for a version, and for an alias, that does not exist."""


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version whose tags are sound."""

    name: str
    version: str
    kind: ModelKind
    schema_hash: str
    sha256: str
    source: str
    """The folder of its files, as MLflow has it; not looked at yet."""
    metrics: Mapping[str, float]
    provenance: Mapping[str, str | int]
    """As in an MLModel."""
    aliases: tuple[str, ...] = ()

    @property
    def mlmodel(self) -> str:
        """The name of its MLModel."""
        return mlmodel_name(self.name, self.version)

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


@dataclass(frozen=True, slots=True)
class UnreadableVersion:
    """A version that is none of HYDATIS', or damaged."""

    name: str
    version: str
    problem: str


class Registry:
    """One open store. Open with `opened_registry`, which turns what MLflow raises into StoreUnusable."""

    def __init__(self, client: Any, uri: str) -> None:
        self._client = client
        self.uri = uri

    def listed(self, names: Sequence[str]) -> list[RegisteredVersion | UnreadableVersion]:
        """Return the newest versions of these names, newest first; a name that is not there has none."""
        found: list[RegisteredVersion | UnreadableVersion] = []
        for name in names:
            check_name(name)
            aliases = self._aliases(name)
            versions = self._client.search_model_versions(
                filter_string=f"name = '{name}'", max_results=LISTED_MAX, order_by=["version_number DESC"]
            )
            for one in versions:
                try:
                    found.append(_read(one, aliases))
                except RegistryError as error:
                    found.append(UnreadableVersion(name, printable(str(one.version), 20), str(error)))
        return found

    def find(self, name: str, reference: str) -> RegisteredVersion:
        """Return the version of this number, or, for `@champion`, the one that the alias names.

        Raises:
            NotInRegistry: there is none.
            RegistryError: name or reference cannot be one, or the version is none of HYDATIS'.

        """
        check_name(name)
        alias = reference.removeprefix("@")
        if reference.startswith("@") and _ALIAS.fullmatch(alias):
            one = self._asked(lambda: self._client.get_model_version_by_alias(name, alias), name, reference)
        elif _VERSION.fullmatch(reference):
            one = self._asked(lambda: self._client.get_model_version(name, reference), name, reference)
        else:
            raise RegistryError(
                f"the version is {printable(reference, 80)!r}; give its number, such as 3, or an alias, such as "
                "@champion."
            )
        if str(one.name) != name or not _VERSION.fullmatch(str(one.version)):
            raise RegistryError(f"the registry answered with another model than {name}; check its server.")
        return _read(one, self._aliases(name))

    def point(self, name: str, alias: Alias, version: str | None) -> None:
        """Make an alias name this version, or none."""
        if version is not None:
            self._client.set_registered_model_alias(name, alias.value, version)
        elif alias.value in self._aliases(name):
            self._client.delete_registered_model_alias(name, alias.value)

    def _aliases(self, name: str) -> Mapping[str, str]:
        try:
            found = self._asked(lambda: self._client.get_registered_model(name), name, "")
        except NotInRegistry:
            return {}
        return {str(alias): str(version) for alias, version in dict(found.aliases).items()}

    def _asked(self, ask: Any, name: str, reference: str) -> Any:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - it takes a second, and is imported by now

        try:
            return ask()
        except MlflowException as error:
            if error.error_code not in _MISSING:
                raise
            what = f"{name} {reference}" if reference.startswith("@") else f"{name} version {reference}"
            raise NotInRegistry(
                f"the registry at {shown(self.uri)} has no {what}; hydatis model list shows what it has."
            ) from error


@contextmanager
def opened_registry(uri: str | None = None) -> Iterator[Registry]:
    """Open the registry that MLFLOW_TRACKING_URI names, or the default. Raises StoreUnusable, in the block as well."""
    uri = uri or tracking_uri()
    with opened(uri) as client:
        yield Registry(client, uri)


def check_name(name: str) -> None:
    """Refuse what cannot be a model's name here. Raises RegistryError."""
    if not is_dns_subdomain(name) or len(name) > NAME_MAX:
        raise RegistryError(
            f"the model is named {printable(name, 80)!r}; use a name such as hydatis-load: at most {NAME_MAX} "
            "lower-case letters, digits, '-' and '.'."
        )


def _read(found: Any, aliases: Mapping[str, str]) -> RegisteredVersion:
    """Read one entity of MLflow. Raises RegistryError for tags that are missing or make no sense."""
    version = str(found.version)
    tags = {str(key): str(value) for key, value in dict(found.tags or {}).items()}
    what = f"{found.name} version {version}"
    kind = tags.get(Tag.KIND, "")
    if kind not in ModelKind.__members__.values():
        raise RegistryError(_untold(what, Tag.KIND, kind, f"one of {', '.join(ModelKind)}"))
    schema_hash, sha256 = tags.get(Tag.SCHEMA_HASH, ""), tags.get(Tag.SHA256, "")
    if not SCHEMA_HASH.fullmatch(schema_hash):
        raise RegistryError(_untold(what, Tag.SCHEMA_HASH, schema_hash, "8 to 64 hexadecimal digits"))
    if not SHA256.fullmatch(sha256):
        raise RegistryError(_untold(what, Tag.SHA256, sha256, "64 hexadecimal digits"))
    return RegisteredVersion(
        name=str(found.name),
        version=version,
        kind=ModelKind(kind),
        schema_hash=schema_hash,
        sha256=sha256,
        source=str(found.source or ""),
        metrics=_metrics(tags),
        provenance=_provenance(tags),
        aliases=tuple(sorted(printable(alias, 40) for alias, named in aliases.items() if named == version)),
    )


def _untold(what: str, tag: Tag, value: str, wanted: str) -> str:
    return (
        f"{what} has {tag.value} {printable(value, 40)!r}, and not {wanted}: it was not registered by hydatis "
        "train, or was changed since; register the model again."
    )


def _metrics(tags: Mapping[str, str]) -> Mapping[str, float]:
    """Return the metrics that an MLModel takes; the others are left out, for nothing depends on them."""
    found: dict[str, float] = {}
    for key in sorted(tags):
        name = key.removeprefix(METRIC_PREFIX)
        if name == key or not METRIC_NAME.fullmatch(name) or len(found) == METRICS_MAX:
            continue
        try:
            value = float(tags[key])
        except ValueError:
            continue
        if math.isfinite(value):
            found[name] = value
    return found


def _provenance(tags: Mapping[str, str]) -> Mapping[str, str | int]:
    found: dict[str, str | int] = {}
    trained_at = tags.get(Tag.TRAINED_AT, "")
    if _TRAINED_AT.fullmatch(trained_at) and _is_date(trained_at):
        found["trainedAt"] = trained_at
    for tag, (field, most) in _TEXT_MAX.items():
        if tags.get(tag):
            found[field] = printable(tags[tag], most - 1)
    seed = tags.get(Tag.SEED, "")
    if re.fullmatch(r"[0-9]{1,18}", seed):
        found["seed"] = int(seed)
    return found


def _is_date(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
