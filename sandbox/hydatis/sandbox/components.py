"""The components of the control plane: what each is started with, and how it says that it is ready.

Every flag that departs from the program's default has its reason beside it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.go_module import Program


class Component(StrEnum):
    """A component that runs as one process; the value is its program's name."""

    ETCD = "etcd"
    APISERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    KWOK = "kwok"

    @property
    def program(self) -> Program:
        """The program it runs."""
        return Program(self.value)

    @property
    def ports(self) -> int:
        """How many ports it listens on; the first is the one its clients use."""
        return 2 if self is Component.ETCD else 1


MINIMAL = frozenset({Component.ETCD, Component.APISERVER})
"""An API server that stores objects; nothing acts on them."""
FULL = MINIMAL | {Component.CONTROLLER_MANAGER, Component.KWOK}
"""Workload controllers and simulated nodes as well; scheduling is left to the schedulers under test."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a sandbox keeps its files."""

    directory: Path

    @property
    def certificates(self) -> Certificates:
        """Its certificates and keys."""
        return Certificates(self.directory / "pki")

    @property
    def tokens(self) -> Path:
        """The API server's static token file: one line each for the administrator and the components."""
        return self.directory / "pki" / "tokens.csv"

    @property
    def etcd_data(self) -> Path:
        """The cluster's whole state."""
        return self.directory / "etcd"

    @property
    def scheduler_configuration(self) -> Path:
        """kube-scheduler's KubeSchedulerConfiguration."""
        return self.directory / "configuration" / "kube-scheduler.json"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig of a user."""
        return self.directory / "kubeconfigs" / f"{user}.yaml"

    def log(self, component: str) -> Path:
        """What a component prints."""
        return self.directory / "logs" / f"{component}.log"


Ports = Mapping[Component, tuple[int, ...]]

STAGES = Path(__file__).with_name("stages.yaml")
"""What KWOK does with nodes and pods."""

USERS = {
    "admin": ("admin", "system:masters"),
    Component.CONTROLLER_MANAGER: ("system:kube-controller-manager", ""),
    Component.SCHEDULER: ("system:kube-scheduler", ""),
    Component.KWOK: ("kwok", "system:masters"),
}
"""Name of a static token to its user and group. The scheduler and the controllers run as the users that Kubernetes'
bootstrap RBAC roles are bound to, so that authorisation and API Priority and Fairness treat them as in a real cluster.
KWOK stands in for every kubelet at once, which no single role allows.
"""


def command_arguments(component: Component, layout: Layout, ports: Ports) -> list[str]:
    """The flags of `component`, for the ports that are known by now: its own, etcd's for the API server."""
    return _ARGUMENTS[component](layout, ports)


def url(component: Component, ports: Ports) -> str:
    """The address `component` serves on."""
    scheme = "http" if component is Component.KWOK else "https"
    return f"{scheme}://127.0.0.1:{ports[component][0]}"


def readiness_path(component: Component) -> str:
    """The path that answers 200 when the component is ready."""
    return _READINESS.get(component, "/readyz")


_READINESS = {Component.ETCD: "/health", Component.CONTROLLER_MANAGER: "/healthz"}


def _etcd(layout: Layout, ports: Ports) -> list[str]:
    client, peer = (f"https://127.0.0.1:{port}" for port in ports[Component.ETCD])
    certificates = layout.certificates
    tls = {"cert-file": certificates.certificate, "key-file": certificates.key, "trusted-ca-file": certificates.ca}
    return [
        "--name=sandbox",
        f"--data-dir={layout.etcd_data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=sandbox={peer}",
        # Who reads etcd reads every Secret, so other users of this machine have to be kept out.
        "--client-cert-auth",
        "--peer-client-cert-auth",
        *(f"--{prefix}{name}={path}" for prefix in ("", "peer-") for name, path in tls.items()),
        # The sandbox's data need not survive a power cut, and waiting for the disk is most of a write's time.
        "--unsafe-no-fsync",
        f"--quota-backend-bytes={8 * 2**30}",
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=5m",
        "--log-level=warn",
    ]


def _apiserver(layout: Layout, ports: Ports) -> list[str]:
    certificates = layout.certificates
    return [
        f"--etcd-servers={url(Component.ETCD, ports)}",
        f"--etcd-cafile={certificates.ca}",
        f"--etcd-certfile={certificates.certificate}",
        f"--etcd-keyfile={certificates.key}",
        "--bind-address=127.0.0.1",
        # Without it the address of a network interface is asked for, and a machine without network has none.
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports[Component.APISERVER][0]}",
        f"--tls-cert-file={certificates.certificate}",
        f"--tls-private-key-file={certificates.key}",
        f"--client-ca-file={certificates.ca}",
        f"--token-auth-file={layout.tokens}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={certificates.service_account_public_key}",
        f"--service-account-signing-key-file={certificates.service_account_key}",
        # A loopback address cannot be an endpoint of the `kubernetes` service.
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        # The benchmarks measure schedulers, not these limits (defaults 400 and 200).
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
    ]


def _controller_manager(layout: Layout, ports: Ports) -> list[str]:
    certificates = layout.certificates
    return [
        *_secured(Component.CONTROLLER_MANAGER, layout, ports),
        f"--kubeconfig={layout.kubeconfig(Component.CONTROLLER_MANAGER)}",
        # With one identity for all of them RBAC stops several controllers.
        "--use-service-account-credentials=true",
        f"--service-account-private-key-file={certificates.service_account_key}",
        f"--root-ca-file={certificates.ca}",
        "--controllers=*",
        "--leader-elect=false",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]


def _scheduler(layout: Layout, ports: Ports) -> list[str]:
    return [
        *_secured(Component.SCHEDULER, layout, ports),
        f"--config={layout.scheduler_configuration}",
    ]


def _secured(component: Component, layout: Layout, ports: Ports) -> list[str]:
    certificates = layout.certificates
    kubeconfig = layout.kubeconfig(component)
    return [
        "--bind-address=127.0.0.1",
        f"--secure-port={ports[component][0]}",
        f"--tls-cert-file={certificates.certificate}",
        f"--tls-private-key-file={certificates.key}",
        # /metrics is for those whom the API server lets read it: the administrator.
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
    ]


def _kwok(layout: Layout, ports: Ports) -> list[str]:
    return [
        f"--kubeconfig={layout.kubeconfig(Component.KWOK)}",
        f"--config={STAGES}",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
        f"--server-address=127.0.0.1:{ports[Component.KWOK][0]}",
    ]


_ARGUMENTS: Mapping[Component, Callable[[Layout, Ports], list[str]]] = {
    Component.ETCD: _etcd,
    Component.APISERVER: _apiserver,
    Component.CONTROLLER_MANAGER: _controller_manager,
    Component.SCHEDULER: _scheduler,
    Component.KWOK: _kwok,
}


def scheduler_configuration(
    kubeconfig: Path, scheduler_name: str = "default-scheduler", changes: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """A KubeSchedulerConfiguration with the default profile under a name, one replica, and a client that is not
    throttled (defaults 50 and 100); `changes` are further fields of it.
    """
    return json.dumps(
        {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(kubeconfig), "qps": 5000, "burst": 5000},
            "profiles": [{"schedulerName": scheduler_name}],
            **changes,
        },
        indent=2,
    )
