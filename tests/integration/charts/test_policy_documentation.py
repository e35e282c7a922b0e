"""The examples in docs/policies.md are applied as they stand; the API server takes or refuses them as the text says."""

import re
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def title(example: str) -> str:
    found = re.search(r"^  name: (\S+)$", example, re.MULTILINE)
    return found.group(1) if found else example[:20]


@pytest.mark.parametrize("example", EXAMPLES, ids=title)
def test_an_example_is_applied_unless_the_text_says_it_is_refused(server: ControlPlane, example: str) -> None:
    if example.startswith("# refused"):
        with pytest.raises(SandboxError, match=r"unknown field|is invalid"):
            server.kubectl("apply", "-f", "-", stdin=example)
    else:
        server.kubectl("apply", "-f", "-", stdin=example)
        server.kubectl("delete", "--now", "-f", "-", stdin=example)


def test_the_table_of_the_text_has_the_columns_that_kubectl_prints(server: ControlPlane) -> None:
    shown = re.search(r"^NAME .*$", TEXT, re.MULTILINE)
    assert shown is not None
    example = next(example for example in EXAMPLES if title(example) == "batch")
    server.kubectl("apply", "-f", "-", stdin=example)
    try:
        assert server.kubectl("get", "mlsp").splitlines()[0].split() == shown.group(0).split()
    finally:
        server.kubectl("delete", "-f", "-", stdin=example)
