"""Where the cluster is and who we are: kubeconfig or the pod's own service account, read through kubernetes-asyncio.

`connection` reads them at the start and again when the API server no longer accepts them. Order: `--kubeconfig`, the
KUBECONFIG variable, the service account of the pod we run in, `~/.kube/config`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import yaml
from kubernetes_asyncio.client.configuration import Configuration
from kubernetes_asyncio.config.config_exception import ConfigException
from kubernetes_asyncio.config.incluster_config import SERVICE_HOST_ENV_NAME, load_incluster_config
from kubernetes_asyncio.config.kube_config import list_kube_config_contexts, load_kube_config

from hydatis.operator.errors import Misconfigured

DEFAULT_KUBECONFIG = Path("~/.kube/config")
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class CredentialSource:
    """What the command line asked for; both None means the environment decides."""

    kubeconfig: Path | None = None
    context: str | None = None

    async def load(self) -> Configuration:
        """The client configuration: server, CA, and credentials as they are right now.

        Raises Misconfigured when there is none or it cannot be used.
        """
        configuration = Configuration()
        paths = self._paths()
        if paths is None:
            _load_service_account(configuration)
        else:
            await self._load_kubeconfig(paths, configuration)
        return configuration

    def namespace(self) -> str:
        """The namespace that goes with the credentials: of the pod, else of the kubeconfig's context, else default."""
        paths = self._paths()
        if paths is None:
            try:
                return SERVICE_ACCOUNT_NAMESPACE.read_text(encoding="ascii").strip() or DEFAULT_NAMESPACE
            except (OSError, ValueError):
                return DEFAULT_NAMESPACE
        try:
            contexts, current = list_kube_config_contexts(os.pathsep.join(map(str, paths)))
        except (ConfigException, AssertionError, KeyError, TypeError, ValueError, OSError, yaml.YAMLError):
            # `load` has the words for it.
            return DEFAULT_NAMESPACE
        chosen = current if self.context is None else next((c for c in contexts if c["name"] == self.context), None)
        named = ((chosen or {}).get("context") or {}).get("namespace")
        return named if isinstance(named, str) and named else DEFAULT_NAMESPACE

    def _paths(self) -> list[Path] | None:
        """The kubeconfig files to merge, or None for the service account of the pod."""
        if self.kubeconfig is not None:
            return [self.kubeconfig.expanduser()]
        named = [Path(part).expanduser() for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
        if named:
            return named
        if self.context is None and os.environ.get(SERVICE_HOST_ENV_NAME):
            return None
        return [DEFAULT_KUBECONFIG.expanduser()]

    async def _load_kubeconfig(self, paths: list[Path], configuration: Configuration) -> None:
        for path in paths:
            _check_readable(path)
        shown = os.pathsep.join(map(str, paths))
        try:
            await load_kube_config(
                config_file=shown, context=self.context, client_configuration=configuration, persist_config=False
            )
        except ConfigException as error:
            raise Misconfigured(
                f"The kubeconfig {shown} cannot be used: {error}.",
                "Check its current-context, or name another with --context.",
            ) from error
        # The loader trusts the file's shape: a wrong one surfaces as whichever of these its code meets first.
        except (AssertionError, AttributeError, KeyError, TypeError, ValueError, OSError, yaml.YAMLError) as error:
            detail = " ".join(str(error).split()) or type(error).__name__
            raise Misconfigured(
                f"The file {shown} is not a valid kubeconfig: {detail}.", "Pass a valid one with --kubeconfig."
            ) from error


def _check_readable(path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Misconfigured(
            f"The kubeconfig {path} does not exist.", "Pass an existing file with --kubeconfig or set KUBECONFIG."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(
            f"The kubeconfig {path} cannot be read: {reason}.", "Make it readable or pass another with --kubeconfig."
        ) from error
    if not text.strip():
        raise Misconfigured(f"The kubeconfig {path} is empty.", "Pass a valid one with --kubeconfig.")


def _load_service_account(configuration: Configuration) -> None:
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as error:
        raise Misconfigured(
            f"The pod's service account cannot be used: {error}",
            "Set automountServiceAccountToken to true, or pass --kubeconfig.",
        ) from error
