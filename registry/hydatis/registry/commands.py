"""`hydatis model`: what the registry has, into the cluster, into use, and back."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from hydatis.operator.credentials import CredentialSource
    from hydatis.registry.manifests import Manifests
    from hydatis.registry.promoting import Change
    from hydatis.registry.versions import RegisteredVersion, Registry

model = typer.Typer(
    help="Bring models from MLflow's registry into a cluster, into use, and back. The registry is the one that "
    "MLFLOW_TRACKING_URI names, else mlflow.db in the working folder.",
    no_args_is_help=True,
)

Result = TypeVar("Result")

Kubeconfig = Annotated[
    Path | None, typer.Option(help="Kubeconfig file. Default: KUBECONFIG, the pod's service account, ~/.kube/config.")
]
Context = Annotated[str | None, typer.Option(help="Context of the kubeconfig. Default: its current one.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Registered model, such as hydatis-load.")]
Version = Annotated[str, typer.Argument(metavar="VERSION", help="Its version, such as 3, or an alias: @champion.")]
Policy = Annotated[str, typer.Option(help="The MLSchedulerPolicy.")]
Namespace = Annotated[
    str | None,
    typer.Option(
        help="Where HYDATIS runs: weights of more than 1 MiB go into ConfigMaps there. Default: that of the context."
    ),
]
ByReference = Annotated[
    bool, typer.Option("--by-reference", help="Let HYDATIS fetch the weights from the registry's server, over HTTP.")
]
Server = Annotated[
    str | None,
    typer.Option(help="That server as HYDATIS reaches it, such as http://mlflow.mlops:5000. Default: the registry's."),
]
Timeout = Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for HYDATIS.")]


class Part(StrEnum):
    """A part of an ensemble that a model computes, as options name it."""

    LOAD = "load"
    PLACEMENT = "placement"
    ANOMALY = "anomaly"


@model.command("list")
def list_(
    *,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Registered models; those of HYDATIS if left out.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the cluster.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print everything about each as JSON.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """List the versions in the registry, newest first, and the MLModels in the cluster that hold their weights.

    Example: hydatis model list hydatis-load
    """
    import json as json_format

    from hydatis.operator.credentials import CredentialSource
    from hydatis.operator.errors import OperatorError
    from hydatis.registry.cluster import all_models, connected
    from hydatis.registry.reporting import document, in_cluster, print_versions
    from hydatis.registry.versions import opened_registry
    from hydatis.simulations.training.tracking.naming import REGISTERED_NAMES

    async def ask() -> list[Any]:
        async with connected(CredentialSource(kubeconfig, context)) as connection:
            return list(await all_models(connection))

    with _errors():
        with opened_registry() as registry:
            versions = registry.listed(names or list(REGISTERED_NAMES.values()))
        cluster = None
        if not offline:
            try:
                cluster = in_cluster(_run(ask()))
            except OperatorError as error:
                _tell(f"without the cluster: {error}")
    if json:
        typer.echo(json_format.dumps(document(versions, cluster), indent=1))
    elif versions:
        print_versions(versions, cluster)
    else:
        typer.echo("the registry has no such version yet; hydatis train ... --register makes one")


@model.command()
def push(
    *,
    name: Name,
    version: Version,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the objects as YAML to this file (- is the terminal), and stop there."
        ),
    ] = None,
    by_reference: ByReference = False,
    server: Server = None,
    namespace: Namespace = None,
    timeout: Timeout = 120.0,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Make an MLModel of a version, and wait until HYDATIS has verified it.

    The MLModel is named NAME-VERSION. One that is there already is left as it is if it has the same weights, and is
    an error otherwise.

    Example: hydatis model push hydatis-load 3
    """
    import yaml

    from hydatis.operator.credentials import CredentialSource
    from hydatis.registry.cluster import connected
    from hydatis.registry.pushing import push as push_to
    from hydatis.registry.pushing import wait_until_verified
    from hydatis.registry.versions import opened_registry

    with _errors():
        source = CredentialSource(kubeconfig, context)
        place = _place(namespace, source)
        with opened_registry() as registry:
            manifests = _manifests(registry, registry.find(name, version), place, by_reference, server)
        if output is not None:
            text = yaml.safe_dump_all(manifests.documents(), sort_keys=False, width=2**31)
            typer.echo(text, nl=False) if str(output) == "-" else output.write_text(text, encoding="utf-8")
            return

        async def do() -> None:
            async with connected(source) as connection:
                await push_to(connection, manifests, _tell)
                await wait_until_verified(connection, manifests.name, timeout, _tell)

        _run(do())
    typer.echo(f"{manifests.name} is verified")


@model.command()
def promote(
    *,
    name: Name,
    version: Version,
    policy: Policy,
    weight: Annotated[
        int | None, typer.Option(min=0, max=100, help="What the model counts for. Default: what its predecessor does.")
    ] = None,
    by_reference: ByReference = False,
    server: Server = None,
    namespace: Namespace = None,
    timeout: Timeout = 120.0,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Put a version into use: push it if need be, wait until it is verified, and name it in a policy.

    The policy remembers the model before it, for rollback, and the registry's alias champion moves to the version.
    The policy keeps the model that it has when the new one is refused.

    Example: hydatis model promote hydatis-load 3 --policy learned
    """
    from hydatis.operator.credentials import CredentialSource
    from hydatis.registry.cluster import connected
    from hydatis.registry.promoting import Change, check_policy, name_model, wait_until_in_use
    from hydatis.registry.pushing import push as push_to
    from hydatis.registry.pushing import wait_until_verified
    from hydatis.registry.versions import opened_registry

    with _errors():
        source = CredentialSource(kubeconfig, context)
        place = _place(namespace, source)
        with opened_registry() as registry:
            found = registry.find(name, version)
            manifests = _manifests(registry, found, place, by_reference, server)

        async def do() -> Change:
            async with connected(source) as connection:
                await check_policy(connection, policy, found.kind, weight)
                await push_to(connection, manifests, _tell)
                await wait_until_verified(connection, manifests.name, timeout, _tell)
                change = await name_model(connection, policy, found.kind, manifests.name, weight)
                _told(change, policy)
                return change

        async def in_use() -> None:
            async with connected(source) as connection:
                await wait_until_in_use(connection, policy, manifests.name, timeout)

        _move_aliases(_run(do()))
        _run(in_use())
    typer.echo(f"{manifests.name} is in use")


@model.command()
def rollback(
    *,
    policy: Policy,
    kind: Annotated[Part, typer.Option(help="Which model of the policy.", case_sensitive=False)],
    namespace: Namespace = None,
    timeout: Timeout = 120.0,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
) -> None:
    """Name in a policy the model that it had before the last promotion. Twice, it is the later one again.

    The registry is needed only if the earlier MLModel was deleted: it is then pushed again.

    Example: hydatis model rollback --policy learned --kind load
    """
    from hydatis.operator.credentials import CredentialSource
    from hydatis.registry.cluster import connected, find_model
    from hydatis.registry.promoting import Change, name_model, previous_model, wait_until_in_use
    from hydatis.registry.pushing import push as push_to
    from hydatis.registry.pushing import wait_until_verified
    from hydatis.scheduler.ensemble_weights import MODEL_FIELDS

    part = next(one for one, field in MODEL_FIELDS.items() if field == kind.value)

    with _errors():
        source = CredentialSource(kubeconfig, context)
        place = _place(namespace, source)

        async def do() -> Change:
            async with connected(source) as connection:
                previous = await previous_model(connection, policy, part)
                if await find_model(connection, previous) is None:
                    _tell(f"the MLModel {previous} is gone; looking for it in the registry")
                    await push_to(connection, _again(previous, place), _tell)
                await wait_until_verified(connection, previous, timeout, _tell)
                change = await name_model(connection, policy, part, previous, None)
                _told(change, policy)
                return change

        async def in_use(model: str) -> None:
            async with connected(source) as connection:
                await wait_until_in_use(connection, policy, model, timeout)

        change = _run(do())
        _move_aliases(change)
        _run(in_use(change.after))
    typer.echo(f"{change.after} is in use")


def _manifests(
    registry: "Registry", version: "RegisteredVersion", place: Callable[[], str], by_reference: bool, server: str | None
) -> "Manifests":
    from hydatis.registry.errors import RegistryError
    from hydatis.registry.fetching import fetch_weights, weights_url
    from hydatis.registry.manifests import holding, referring

    if server is not None and not by_reference:
        raise RegistryError("--server is for --by-reference alone; add that, or leave it out.")
    # Also by reference: an altered file is told here, and not by a model that is refused in the cluster.
    data = fetch_weights(version, registry.uri)
    if by_reference:
        return referring(version, weights_url(version, server or registry.uri))
    return holding(version, data, place)


def _again(mlmodel: str, place: Callable[[], str]) -> "Manifests":
    """Return what holds an MLModel that was deleted, from the registry. Raises RegistryError."""
    from hydatis.registry.errors import RegistryError
    from hydatis.registry.versions import opened_registry
    from hydatis.simulations.errors import SimulationError

    name, _, version = mlmodel.rpartition("-")
    try:
        with opened_registry() as registry:
            return _manifests(registry, registry.find(name, version), place, False, None)
    except (RegistryError, SimulationError) as error:
        raise RegistryError(
            f"the earlier model, the MLModel {mlmodel}, was deleted, and cannot be pushed again: {error}"
        ) from error


def _move_aliases(change: "Change") -> None:
    """Let the registry say what is in use. The cluster has been changed by then, whatever becomes of this."""
    from hydatis.registry.errors import RegistryError
    from hydatis.registry.versions import Registry, opened_registry
    from hydatis.simulations.errors import SimulationError
    from hydatis.simulations.training.tracking.naming import Alias

    def of(registry: Registry, mlmodel: str | None) -> tuple[str, str] | None:
        """Return name and version of what the registry has of it: nothing of a model that was made by hand."""
        name, _, version = (mlmodel or "").rpartition("-")
        try:
            found = registry.find(name, version)
        except RegistryError:
            return None
        return found.name, found.version

    try:
        with opened_registry() as registry:
            after, before = of(registry, change.after), of(registry, change.before)
            if after is None:
                if before is not None:
                    registry.point(before[0], Alias.CHAMPION, None)
                return
            registry.point(after[0], Alias.CHAMPION, after[1])
            if not change.none:
                known = before is not None and before[0] == after[0]
                registry.point(after[0], Alias.PREVIOUS, before[1] if before is not None and known else None)
    except (RegistryError, SimulationError, ModuleNotFoundError) as error:
        _tell(f"warning: the aliases of the registry stay as they were: {error}")


def _told(change: "Change", policy: str) -> None:
    if change.none:
        typer.echo(f"policy {policy} names {change.after} already")
    else:
        typer.echo(f"policy {policy}: {change.before or 'no model'} -> {change.after}")
    if change.mode in ("Fallback", "Paused", "Shadow"):
        _tell(f"note: the mode of the policy is {change.mode}, so the model does not decide yet")


def _place(asked: str | None, source: "CredentialSource") -> Callable[[], str]:
    """Return what tells the namespace of HYDATIS when it is needed: for few models is a kubeconfig read for that."""
    from hydatis.operator import options

    named = None if asked is None else options.namespace(asked)
    return lambda: source.namespace() if named is None else named


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    import asyncio

    return asyncio.run(work)


def _tell(text: str) -> None:
    typer.echo(text, err=True)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn what can go wrong into one line and status 1."""
    try:
        from hydatis.operator.errors import OperatorError
        from hydatis.registry.errors import RegistryError
        from hydatis.simulations.errors import SimulationError
    except ModuleNotFoundError as missing:
        raise _without(missing) from missing
    try:
        yield
    except ModuleNotFoundError as missing:
        raise _without(missing) from missing
    except (OperatorError, RegistryError, SimulationError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("error: interrupted", err=True)
        raise typer.Exit(130) from None


def _without(missing: ModuleNotFoundError) -> typer.Exit:
    typer.echo(f"error: hydatis model needs the Python package {missing.name}: pip install 'hydatis[models]'", err=True)
    return typer.Exit(1)
