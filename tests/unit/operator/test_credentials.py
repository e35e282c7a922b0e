"""Which cluster the operator talks to, and what it says when the answer is not there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hydatis.operator import credentials
from hydatis.operator.credentials import CredentialSource
from hydatis.operator.errors import Misconfigured


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("", "is empty"),
        ("a: [", "is not a valid kubeconfig"),
        ("[1, 2]", "is not a valid kubeconfig"),
        ("apiVersion: v1", "current-context"),
        ("current-context: x\ncontexts: 5", "is not a valid kubeconfig"),
    ],
)
async def test_a_broken_kubeconfig_is_one_sentence_that_names_it(tmp_path: Path, content: str, part: str) -> None:
    path = tmp_path / "broken"
    path.write_text(content)
    with pytest.raises(Misconfigured) as raised:
        await CredentialSource(path).load()
    message = str(raised.value)
    assert str(path) in message
    assert part in message
    assert "\n" not in message


async def test_a_missing_kubeconfig_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="does not exist"):
        await CredentialSource(tmp_path / "missing").load()
    with pytest.raises(Misconfigured, match="cannot be read"):
        await CredentialSource(tmp_path).load()


async def test_an_unknown_context_is_named(kubeconfig: Callable[..., Path]) -> None:
    with pytest.raises(Misconfigured, match="nowhere"):
        await CredentialSource(kubeconfig("http://127.0.0.1:1"), "nowhere").load()


async def test_the_environment_variable_is_used_without_the_option(
    kubeconfig: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig("http://127.0.0.1:7")))
    assert (await CredentialSource().load()).host == "http://127.0.0.1:7"


async def test_without_anything_the_service_account_of_the_pod_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(Misconfigured, match="service account"):
        await CredentialSource().load()


CONTEXTS = """
current-context: one
clusters: [{name: cluster, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: user, user: {token: t}}]
contexts:
  - {name: one, context: {cluster: cluster, user: user, namespace: first}}
  - {name: two, context: {cluster: cluster, user: user, namespace: second}}
  - {name: bare, context: {cluster: cluster, user: user}}
"""


@pytest.mark.parametrize(
    ("content", "context", "expected"),
    [
        (CONTEXTS, None, "first"),
        (CONTEXTS, "two", "second"),
        (CONTEXTS, "bare", "default"),
        (CONTEXTS, "absent", "default"),
        ("a: [", None, "default"),
        ("[1, 2]", None, "default"),
    ],
)
def test_the_namespace_is_that_of_the_context(tmp_path: Path, content: str, context: str | None, expected: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    assert CredentialSource(path, context).namespace() == expected


def test_the_namespace_of_a_pod_is_that_of_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setattr(credentials, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "namespace")
    assert CredentialSource().namespace() == "default"
    (tmp_path / "namespace").write_text("hydatis-system\n")
    assert CredentialSource().namespace() == "hydatis-system"
