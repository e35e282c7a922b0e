"""A real control plane on loopback: `ControlPlane.start` builds what is missing, starts it and waits until it is ready.

It serves TLS under a certificate authority of its own, authorises by RBAC, and runs Kubernetes' default admission
plugins. Every process ends with the Python process that started it (unless detached), also after a crash: see
`processes` and `records`. One thread uses a `ControlPlane` at a time.
"""

import atexit
import os
import secrets
import shutil
import ssl
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from hydatis.sandbox.building import provide, silent
from hydatis.sandbox.certificates import write_private
from hydatis.sandbox.components import (
    FULL,
    MINIMAL,
    USERS,
    Component,
    Layout,
    command_arguments,
    readiness_path,
    scheduler_configuration,
    url,
)
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.go_module import Program
from hydatis.sandbox.kubeconfig import write_kubeconfig
from hydatis.sandbox.locking import file_lock
from hydatis.sandbox.ports import ADDRESS_IN_USE, Port
from hydatis.sandbox.processes import ChildProcess, ProcessIdentity, spawn
from hydatis.sandbox.records import ComponentRecord, SandboxRecord, find_record, reap_abandoned
from hydatis.sandbox.requesting import ApiServer, probe
from hydatis.sandbox.tools import run_tool

__all__ = ["FULL", "MINIMAL", "Component", "ControlPlane", "SandboxError"]

_READY_SECONDS = 120.0
"""Ten times what a start takes on two busy cores."""
_POLL_SECONDS = 0.05
_PORT_ATTEMPTS = 5
_TOKEN_SECONDS = 30 * 24 * 3600


class ControlPlane:
    """A running control plane. Use as a context manager, or call `stop`."""

    def __init__(self, layout: Layout, record: SandboxRecord, tokens: Mapping[str, str]) -> None:
        """For `start` and `attach` only."""
        self._layout = layout
        self._record = record
        self._tokens = tokens
        self._children: dict[Component, ChildProcess] = {}
        self._reservations: dict[Component, tuple[Port, ...]] = {}
        self._ports: dict[Component, tuple[int, ...]] = {}
        self._detached = record.owner is None
        self._planned = frozenset(map(Component, record.components))

    @classmethod
    def start(
        cls,
        directory: Path,
        components: Collection[Component] = MINIMAL,
        *,
        progress: Callable[[str], None] = silent,
        apiserver_arguments: Sequence[str] = (),
        scheduler_arguments: Sequence[str] = (),
        detached: bool = False,
    ) -> Self:
        """Start a fresh cluster in `directory` and wait until it is ready; etcd and the API server are always part of
        it.

        Without a controller-manager there is nobody to lift the not-ready taint from nodes or to make service accounts:
        then the admission plugin TaintNodesByCondition is off, and the service account `default` is made here, in the
        namespace `default` only.

        A `detached` control plane outlives this process and is ended by `attach(directory).stop()`. Data of an earlier
        cluster in `directory` is deleted. Raises `SandboxError` where a sandbox already runs there, or anything fails
        to start; then nothing is left running.
        """
        directory = directory.absolute()
        wanted = [component for component in Component if component in MINIMAL or component in components]
        reap_abandoned()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SandboxError(f"the sandbox's folder cannot be made: {error}; choose another") from error
        provide([component.program for component in wanted], progress)
        busy = f"another process is starting a sandbox in {directory}; wait for it"
        with file_lock(directory / "start.lock", wait_seconds=0, busy=busy):
            earlier = find_record(directory)
            if earlier is not None and earlier.alive():
                raise SandboxError(f"a sandbox already runs in {directory}; stop it first, or use another directory")
            # Until it is up, a detached sandbox is this process's too: a crash in the middle leaves nothing that is not
            # reaped later.
            record = SandboxRecord(directory, ProcessIdentity.own())
            control_plane = cls(Layout(directory), record, {name: secrets.token_urlsafe(32) for name in USERS})
            control_plane._detached = detached
            control_plane._planned = frozenset(wanted)
            extra = {Component.APISERVER: apiserver_arguments, Component.SCHEDULER: scheduler_arguments}
            control_plane._start_all(wanted, extra, progress)
        return control_plane

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """The sandbox that runs in `directory`, started by another process. Raises `SandboxError` where there is
        none.
        """
        directory = directory.absolute()
        record = find_record(directory)
        if record is None:
            raise SandboxError(f"no sandbox runs in {directory}; start one with: hydatis sandbox up")
        layout = Layout(directory)
        try:
            lines = layout.tokens.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise SandboxError(
                f"the files of the sandbox in {directory} are gone ({error}); run: hydatis sandbox down"
            ) from error
        tokens = {name: line.split(",")[0] for name, line in zip(USERS, lines, strict=True)}
        control_plane = cls(layout, record, tokens)
        for name, entry in record.components.items():
            component = Component(name)
            control_plane._children[component] = ChildProcess(entry.process, Path(entry.log))
            control_plane._ports[component] = entry.ports
        return control_plane

    @property
    def directory(self) -> Path:
        """Where its files and logs are."""
        return self._layout.directory

    @property
    def url(self) -> str:
        """The API server's address, `https://127.0.0.1:PORT`; the same for the sandbox's whole life."""
        return url(Component.APISERVER, self._ports)

    @property
    def ca_file(self) -> Path:
        """The certificate that every server of the sandbox is signed with (PEM)."""
        return self._layout.certificates.ca

    @property
    def admin_token(self) -> str:
        """Bearer token of a member of `system:masters`."""
        return self._tokens["admin"]

    @property
    def admin_kubeconfig(self) -> Path:
        """Kubeconfig of a member of `system:masters`."""
        return self._layout.kubeconfig("admin")

    @property
    def api(self) -> ApiServer:
        """The API server, as the administrator."""
        return ApiServer(self.url, self.ca_file, self.admin_token)

    @property
    def components(self) -> list[Component]:
        """Those that were started, in that order; one of them may have died since."""
        return list(self._children)

    def component_url(self, component: Component) -> str:
        """Where a component serves its health and metrics; /metrics wants the administrator's token, etcd a client
        certificate.
        """
        self._child(component)
        return url(component, self._ports)

    def pid(self, component: Component) -> int:
        """The component's process id. Raises `SandboxError` if it was not started."""
        return self._child(component).pid

    def binary(self, component: Component) -> Path:
        """The program that the component runs."""
        self._child(component)
        return Path(self._record.components[component].command[0])

    def alive(self, component: Component) -> bool:
        """True while the component's process runs."""
        return self._child(component).alive()

    def ready(self, component: Component) -> bool:
        """True if the component answers that it is ready."""
        context = None
        if component is not Component.KWOK:
            certificates = self._layout.certificates
            context = ssl.create_default_context(cafile=str(certificates.ca))
            if component is Component.ETCD:
                context.load_cert_chain(certificates.certificate, certificates.key)
        headers = {"Authorization": f"Bearer {self.admin_token}"} if component is Component.APISERVER else {}
        answer = probe(url(component, self._ports) + readiness_path(component), context=context, headers=headers)
        return answer is not None and answer.status == 200

    def start_component(self, component: Component, arguments: Sequence[str] = ()) -> None:
        """Start a component that does not run and wait until it is ready. `arguments` come after the sandbox's own.

        Raises `SandboxError` where it runs, or does not become ready.
        """
        if component in self._children and self._children[component].alive():
            raise SandboxError(f"{component} already runs; use restart_component")
        binary = provide([component.program])[component.program]
        if component is Component.SCHEDULER:
            configuration = scheduler_configuration(self._layout.kubeconfig(component))
            write_private(self._layout.scheduler_configuration, configuration.encode())
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            # A component that ran before keeps its address: kubeconfigs and other components know it.
            if attempt > 1 or component not in self._ports:
                self._reserve(component)
            own = command_arguments(component, self._layout, self._ports)
            command = [str(binary), *own, *self._admission(component), *arguments]
            try:
                self._launch(component, command)
                break
            except _PortTakenError:
                if attempt == _PORT_ATTEMPTS:
                    raise
        if component is Component.APISERVER:
            self._write_kubeconfigs()
            api = self.api
            self._await(component, lambda: api.exists("/api/v1/namespaces/default"), "makes the namespace default")

    def stop_component(self, component: Component, *, kill: bool = False) -> None:
        """End a component: SIGTERM then SIGKILL, or SIGKILL at once. Its data and ports stay its own."""
        self._child(component).stop(kill=kill)

    def restart_component(self, component: Component, *, kill: bool = False) -> None:
        """End a component (nothing to end is no error) and start it again as it was: same arguments, ports and data.
        Waits until ready.
        """
        self.stop_component(component, kill=kill)
        self._launch(component, self._record.components[component].command)
        if component is Component.ETCD and self._children[Component.APISERVER].alive():
            self._await(Component.APISERVER, lambda: self.ready(Component.APISERVER), "is ready again")

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator; what it prints. Raises `SandboxError` with its error text."""
        flags = [f"--kubeconfig={self.admin_kubeconfig}", f"--cache-dir={self.directory / 'kubectl'}"]
        return run_tool(Program.KUBECTL, [*flags, *arguments], stdin=stdin)

    def helm(self, *arguments: str) -> str:
        """Run Helm as the administrator; what it prints. Raises `SandboxError` with its error text."""
        home = self.directory / "helm"
        environment = {f"HELM_{kind}_HOME": str(home / kind.lower()) for kind in ("CACHE", "CONFIG", "DATA")}
        return run_tool(Program.HELM, [f"--kubeconfig={self.admin_kubeconfig}", *arguments], environment=environment)

    def service_account_kubeconfig(self, namespace: str, name: str, *, server: str | None = None) -> Path:
        """A kubeconfig (mode 0600) with a new token of the service account, valid for 30 days, from the TokenRequest
        API.

        `server` stands in for the API server's address: a proxy in front of it. Raises `SandboxError` where the account
        does not exist.
        """
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/serviceaccounts/{quote(name, safe='')}/token"
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": _TOKEN_SECONDS},
        }
        token = self.api.call("POST", path, body)["status"]["token"]
        user = f"{namespace}.{name}" if server is None else f"{namespace}.{name}.{secrets.token_hex(4)}"
        return write_kubeconfig(
            self._layout.kubeconfig(user),
            server=server or self.url,
            ca_file=self.ca_file,
            user=f"system:serviceaccount:{namespace}:{name}",
            token=token,
            namespace=namespace,
        )

    def stop(self) -> None:
        """End every process, the last started first. Files stay. Idempotent."""
        atexit.unregister(self.stop)
        for component in sorted(self._children, key=list(Component).index, reverse=True):
            self._children[component].stop()
        self._record.discard()
        for ports in self._reservations.values():
            for port in ports:
                port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_all(
        self,
        wanted: Sequence[Component],
        extra: Mapping[Component, Sequence[str]],
        progress: Callable[[str], None],
    ) -> None:
        atexit.register(self.stop)
        try:
            self._prepare()
            for component in wanted:
                progress(f"starting {component}")
                self.start_component(component, extra.get(component, ()))
            self._await_service_account(wanted)
            if self._detached:
                self._record.owner = None
                self._record.save()
                atexit.unregister(self.stop)
        except BaseException:
            self.stop()
            raise

    def _admission(self, component: Component) -> list[str]:
        if component is not Component.APISERVER or Component.CONTROLLER_MANAGER in self._planned:
            return []
        return ["--disable-admission-plugins=TaintNodesByCondition"]

    def _prepare(self) -> None:
        shutil.rmtree(self._layout.etcd_data, ignore_errors=True)
        shutil.rmtree(self.directory / "logs", ignore_errors=True)
        self._layout.certificates.write()
        lines = []
        for name, (user, group) in USERS.items():
            lines.append(f"{self._tokens[name]},{user},{user}" + (f",{group}" if group else ""))
        write_private(self._layout.tokens, "\n".join(lines).encode() + b"\n")

    def _write_kubeconfigs(self) -> None:
        for name, (user, _) in USERS.items():
            path = self._layout.kubeconfig(name)
            write_kubeconfig(path, server=self.url, ca_file=self.ca_file, user=user, token=self._tokens[name])

    def _reserve(self, component: Component) -> None:
        for port in self._reservations.get(component, ()):
            port.close()
        reserved = tuple(Port() for _ in range(component.ports))
        self._reservations[component] = reserved
        self._ports[component] = tuple(port.number for port in reserved)

    def _launch(self, component: Component, command: list[str]) -> None:
        log = self._layout.log(component)
        # etcd takes every ETCD_… variable for a flag.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ETCD_")}
        child = spawn(command, log, detached=self._detached, environment=environment)
        self._children[component] = child
        self._record.components[component] = ComponentRecord(child.identity, self._ports[component], command, str(log))
        self._record.save()
        self._await(component, lambda: self.ready(component), "is ready")

    def _await(self, component: Component, condition: Callable[[], bool], what: str) -> None:
        child = self._children[component]
        deadline = time.monotonic() + _READY_SECONDS
        while not condition():
            if not child.alive():
                message = f"{component} {child.exit_status()} before it {what}; {child.log_end()}"
                raise (_PortTakenError if ADDRESS_IN_USE in message else SandboxError)(message)
            if time.monotonic() >= deadline:
                raise SandboxError(
                    f"{component} was started {_READY_SECONDS:.0f} s ago and not yet {what}; {child.log_end()}"
                )
            time.sleep(_POLL_SECONDS)

    def _await_service_account(self, wanted: Sequence[Component]) -> None:
        api, accounts = self.api, "/api/v1/namespaces/default/serviceaccounts"
        if Component.CONTROLLER_MANAGER in wanted:
            # Pods are refused until their namespace's service account is there.
            self._await(
                Component.CONTROLLER_MANAGER,
                lambda: api.exists(f"{accounts}/default"),
                "makes the service account default",
            )
        else:
            api.call("POST", accounts, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})

    def _child(self, component: Component) -> ChildProcess:
        try:
            return self._children[component]
        except KeyError:
            raise SandboxError(f"{component} was not started in this sandbox; start it with start_component") from None


class _PortTakenError(SandboxError):
    """A component found its port taken."""
