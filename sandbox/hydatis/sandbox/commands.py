"""`hydatis sandbox`: a real control plane on this machine, up until it is taken down.

A command imports what it needs when it runs, so `--help` is quick and a missing extra is that command's own error.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.replaying.commands import replay
from hydatis.sandbox.upstream.commands import e2e

sandbox = typer.Typer(
    name="sandbox",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A real Kubernetes control plane on this machine's loopback address.",
)
sandbox.command()(e2e)
sandbox.command()(replay)

Name = Annotated[str, typer.Option(help="The sandbox's name: a-z, 0-9 and -.")]


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except SandboxError as error:
        _fail(str(error))
    except OSError as error:
        place = error.filename or "the sandbox's folder"
        _fail(f"{place}: {error.strerror or error}; check that it may be written and the disk has room")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "hydatis":
            raise
        _fail(f"the sandbox needs the package {error.name}; run: pip install 'hydatis[sandbox]'")


def _fail(message: str) -> None:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


@sandbox.command(epilog="Example: hydatis sandbox up --nodes 50 && export KUBECONFIG=$(hydatis sandbox kubeconfig)")
def up(
    name: Name = "default",
    component: Annotated[
        list[str] | None,
        typer.Option(
            help="Run this component besides etcd and kube-apiserver: kube-controller-manager, kube-scheduler or kwok; "
            "may be repeated. Without the option: kube-controller-manager and kwok."
        ),
    ] = None,
    nodes: Annotated[int, typer.Option(min=0, max=15000, help="Create that many nodes, simulated by KWOK.")] = 0,
) -> None:
    """Start a control plane; it runs until `hydatis sandbox down`. Programs that are missing are built first."""
    with _errors_told():
        from hydatis.sandbox import named
        from hydatis.sandbox.components import FULL, Component
        from hydatis.sandbox.progress import shown

        known = {each.value: each for each in Component}
        for chosen in component or ():
            if chosen not in known:
                raise SandboxError(f"--component {chosen!r} is not a component; choose from {', '.join(known)}")
        components = {known[chosen] for chosen in component} if component else FULL
        with shown() as progress:
            started = named.up(name, components, nodes=nodes, progress=progress)
        typer.echo(f"sandbox {name} is up at {started.url}" + (f" with {nodes} nodes" if nodes else ""))
        typer.echo(f"export KUBECONFIG={started.admin_kubeconfig}")


@sandbox.command(epilog="Example: hydatis sandbox build etcd kube-apiserver kubectl")
def build(
    programs: Annotated[
        list[str] | None, typer.Argument(metavar="[PROGRAM]...", help="Without it: every program the sandbox knows.")
    ] = None,
) -> None:
    """Build programs ahead of their first use, those that are missing; print where each one is."""
    with _errors_told():
        from hydatis.sandbox.building import provide
        from hydatis.sandbox.go_module import Program
        from hydatis.sandbox.progress import shown

        known = {each.value: each for each in Program}
        for chosen in programs or ():
            if chosen not in known:
                raise SandboxError(f"{chosen!r} is not a program of the sandbox; choose from {', '.join(known)}")
        with shown() as progress:
            paths = provide([known[chosen] for chosen in programs or known], progress)
        for path in paths.values():
            typer.echo(path)


@sandbox.command(epilog="Example: hydatis sandbox down --name default")
def down(name: Name = "default") -> None:
    """End the control plane and delete its data and logs."""
    with _errors_told():
        from hydatis.sandbox import named

        named.down(name)
        typer.echo(f"sandbox {name} is down")


@sandbox.command(epilog="Example: hydatis sandbox status -v")
def status(
    name: Name = "default",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also show which binaries are used, and which are passed over.")
    ] = False,
) -> None:
    """Show every component; the exit status is 1 unless all are ready."""
    with _errors_told():
        from hydatis.sandbox import named
        from hydatis.sandbox.status_tables import binaries_table, components_table, print_table

        if verbose:
            print_table(binaries_table())
        components = named.status(name)
        print_table(components_table(components))
        if any(each.state != "ready" for each in components):
            raise typer.Exit(1)


@sandbox.command(epilog="Example: hydatis sandbox kubeconfig --service-account hydatis-system/ml-scheduler-sa")
def kubeconfig(
    name: Name = "default",
    service_account: Annotated[
        str | None, typer.Option(metavar="NAMESPACE/NAME", help="For this service account; else for the administrator.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Print the content and not the path.")] = False,
) -> None:
    """Print the path of a kubeconfig for the sandbox."""
    with _errors_told():
        from hydatis.sandbox import named

        control_plane = named.attach(name)
        path = control_plane.admin_kubeconfig
        if service_account is not None:
            namespace, _, account = service_account.partition("/")
            if not namespace or not account or "/" in account:
                raise SandboxError(
                    f"--service-account {service_account!r} is not NAMESPACE/NAME; write default/default"
                )
            path = control_plane.service_account_kubeconfig(namespace, account)
        typer.echo(path.read_text(encoding="utf-8") if raw else path, nl=not raw)
