"""The commands `hydatis run`, `hydatis policy` and `hydatis explain`.

They import what they need when they run: --help stays quick.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from hydatis.operator.logs import LogFormat, LogLevel, configure


class Output(StrEnum):
    """How decisions are written."""

    TEXT = "text"
    JSON = "json"


policy = typer.Typer(help="Work with MLSchedulerPolicy files.", no_args_is_help=True)
explain = typer.Typer(help="Ask a running HYDATIS why pods went where they went, or nowhere.", no_args_is_help=True)

_Url = Annotated[
    str | None,
    typer.Option(help="Address of HYDATIS, such as http://127.0.0.1:8080. Default: its pod, by kubectl port-forward."),
]
_Kubeconfig = Annotated[Path | None, typer.Option(help="Kubeconfig file for kubectl. Default: kubectl's own.")]
_Context = Annotated[str | None, typer.Option(help="Context of the kubeconfig. Default: its current one.")]
_Namespace = Annotated[str, typer.Option(help="Namespace in which HYDATIS runs.")]
_Output = Annotated[Output, typer.Option("--output", "-o", help="Text for people, json with everything.")]


def run(
    *,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Kubeconfig file. Default: KUBECONFIG, the pod's service account, ~/.kube/config."),
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of the kubeconfig. Default: its current one.")] = None,
    namespace: Annotated[
        str | None,
        typer.Option(help="Where ConfigMaps with weights of models are. Default: that of the pod or the context."),
    ] = None,
    listen: Annotated[
        str, typer.Option(help="HOST:PORT of /metrics, /healthz and /readyz; port 0 takes a free one.")
    ] = "127.0.0.1:8080",
    explain_listen: Annotated[
        str | None,
        typer.Option(
            help="HOST:PORT on loopback that serves decisions to `hydatis explain`. Where --listen is on loopback, "
            "that serves them, too."
        ),
    ] = None,
    scheduler_name: Annotated[
        list[str] | None, typer.Option(help="Pods with this spec.schedulerName are ours; repeatable. Default: hydatis.")
    ] = None,
    bind_concurrency: Annotated[int, typer.Option(help="Most binds on their way at a time.")] = 32,
    watch_silence: Annotated[
        float, typer.Option(help="Seconds after which a watch that says nothing is cut and resumed.")
    ] = 90.0,
    volume_bind_timeout: Annotated[
        float, typer.Option(help="Seconds a pod that has a node waits for its volumes to be bound.")
    ] = 600.0,
    seed: Annotated[int | None, typer.Option(help="Makes tie-breaks between equal nodes repeatable.")] = None,
    log_format: Annotated[LogFormat, typer.Option(help="Text for people, json for collectors.")] = LogFormat.TEXT,
    log_level: Annotated[LogLevel, typer.Option(help="Least severe messages shown.")] = LogLevel.INFO,
) -> None:
    """Schedule pods until stopped.

    Example: hydatis run --kubeconfig ~/.kube/config --listen 127.0.0.1:8080
    """
    from hydatis.operator import options, running
    from hydatis.operator.credentials import CredentialSource
    from hydatis.operator.errors import OperatorError
    from hydatis.operator.watching import WatchTiming

    configure(log_format, log_level)
    try:
        host, port = options.listen_address(listen)
        explaining = (None, 0) if explain_listen is None else options.explain_address(explain_listen)
        running.run(
            running.Options(
                source=CredentialSource(kubeconfig, context),
                namespace=None if namespace is None else options.namespace(namespace),
                host=host,
                port=port,
                explain_host=explaining[0],
                explain_port=explaining[1],
                scheduler_names=options.scheduler_names(scheduler_name or ["hydatis"]),
                bind_concurrency=options.bind_concurrency(bind_concurrency),
                volume_bind_timeout_seconds=options.volume_bind_timeout(volume_bind_timeout),
                seed=options.seed(seed),
                timing=WatchTiming(silence_seconds=options.watch_silence(watch_silence)),
            )
        )
    except OperatorError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(1) from None


@policy.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML or JSON files; '-' reads from stdin.")],
) -> None:
    """Check policies without a cluster; print every error with its path.

    Example: hydatis policy validate policies.yaml
    """
    from hydatis.operator.policy_files import check_file

    problems = 0
    for path in files:
        checked = check_file(path)
        problems += len(checked.problems)
        for problem in checked.problems:
            print(f"error: {path}: {problem}", file=sys.stderr)
        if not checked.problems:
            print(f"{path}: {checked.policies} {'policy is' if checked.policies == 1 else 'policies are'} valid")
    if problems:
        raise typer.Exit(1)


@policy.callback()
def _policy() -> None:
    """Keep `validate` a subcommand although it is the only one."""


@explain.command()
def pod(
    name: Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="The pod.")],
    *,
    url: _Url = None,
    kubeconfig: _Kubeconfig = None,
    context: _Context = None,
    namespace: _Namespace = "hydatis-system",
    output: _Output = Output.TEXT,
) -> None:
    """Explain the last decisions about a pod, placed or not: its best nodes, their parts, and what made the difference.

    Example: hydatis explain pod web/api-0
    """
    from hydatis.operator import options
    from hydatis.operator.explain_client import Place, fetch
    from hydatis.operator.explain_text import pod_text

    def ask() -> Any:
        path = "/v1/decisions/" + "/".join(options.pod_name(name))
        return fetch(Place(url, kubeconfig, context, options.namespace(namespace)), path)

    _print_decisions(ask, pod_text, output)


@explain.command()
def last(
    *,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=1000, help="How many.")] = 20,
    url: _Url = None,
    kubeconfig: _Kubeconfig = None,
    context: _Context = None,
    namespace: _Namespace = "hydatis-system",
    output: _Output = Output.TEXT,
) -> None:
    """List the last decisions, the newest first.

    Example: hydatis explain last -n 50
    """
    from hydatis.operator import options
    from hydatis.operator.explain_client import Place, fetch
    from hydatis.operator.explain_text import list_text

    def ask() -> Any:
        path = f"/v1/decisions?limit={number}"
        return fetch(Place(url, kubeconfig, context, options.namespace(namespace)), path)

    _print_decisions(ask, list_text, output)


def _print_decisions(
    ask: Callable[[], Any], text: Callable[[Sequence[Mapping[str, Any]]], str], output: Output
) -> None:
    import orjson

    from hydatis.operator.errors import ApiError, OperatorError

    try:
        document = ask()
    except OperatorError as error:
        print(f"error: {error.message if isinstance(error, ApiError) else error}", file=sys.stderr)
        raise typer.Exit(1) from None
    if output is Output.JSON:
        print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        print(text(document["decisions"]), end="")
