"""The text of a kubeconfig file: one cluster, one user with a bearer token, one context."""

import base64
from pathlib import Path

import yaml

from hydatis.sandbox.certificates import write_private


def kubeconfig_text(*, server: str, ca: bytes, user: str, token: str, namespace: str = "default") -> str:
    """A kubeconfig that trusts `ca` (PEM) alone and needs no other file."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "sandbox",
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca).decode("ascii")},
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": user, "namespace": namespace}}],
        "current-context": "sandbox",
    }
    return yaml.safe_dump(config, sort_keys=False)


def write_kubeconfig(
    path: Path, *, server: str, ca_file: Path, user: str, token: str, namespace: str = "default"
) -> Path:
    """Write a kubeconfig, mode 0600, and return its path."""
    text = kubeconfig_text(server=server, ca=ca_file.read_bytes(), user=user, token=token, namespace=namespace)
    write_private(path, text.encode())
    return path
