"""kubernetes-asyncio is imported without its generated modules, and still has every name."""

import subprocess
import sys

CHECK = """
import sys
import hydatis.operator
import kopf
import kubernetes_asyncio
generated = ("kubernetes_asyncio.client.models.", "kubernetes_asyncio.client.api.")
loaded = [name for name in sys.modules if name.startswith(generated)]
assert len(loaded) < 10, loaded
from kubernetes_asyncio import client
assert client.V1Pod(kind="Pod").kind == "Pod"
assert client.models.V1CSIDriver.__name__ == "V1CSIDriver"
assert client.CoreV1Api.__module__.endswith("core_v1_api")
assert issubclass(client.ApiException, client.OpenApiException)
assert client.ApiClient and client.Configuration
try:
    client.NoSuchThing
except AttributeError:
    print("fine")
"""


def test_the_generated_modules_are_loaded_only_when_they_are_used() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "fine\n", done.stderr
