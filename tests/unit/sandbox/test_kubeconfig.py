import base64
from pathlib import Path

import yaml

from hydatis.sandbox.kubeconfig import kubeconfig_text, write_kubeconfig


def test_a_kubeconfig_holds_all_that_a_client_needs() -> None:
    text = kubeconfig_text(server="https://127.0.0.1:1", ca=b"PEM", user="u: #1", token="- t\n'\"", namespace="ns")
    config = yaml.safe_load(text)
    (cluster,), (user,), (context,) = config["clusters"], config["users"], config["contexts"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:1"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"PEM"
    assert user == {"name": "u: #1", "user": {"token": "- t\n'\""}}
    assert context["name"] == config["current-context"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"], "namespace": "ns"}


def test_a_kubeconfig_file_is_its_owners_alone_also_when_it_is_replaced(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(b"PEM")
    path = tmp_path / "kubeconfig"
    path.write_text("old")
    path.chmod(0o644)
    write_kubeconfig(path, server="https://127.0.0.1:1", ca_file=ca, user="u", token="t")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "old" not in path.read_text()
