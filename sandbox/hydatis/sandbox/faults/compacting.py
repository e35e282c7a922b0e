"""Makes etcd forget its history, so that an old resourceVersion or continue token is really too old."""

import base64
import http.client
import json
import ssl

from hydatis.sandbox.certificates import Certificates
from hydatis.sandbox.controlplane import Component, ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.sandbox.requesting import Answer, request


def compact_history(control_plane: ControlPlane) -> int:
    """Compact etcd at its present revision and return that revision.

    The API server still serves recent versions from its watch cache; after a restart it does not, and answers 410.
    Raises `SandboxError` where etcd refuses.
    """
    # The sandbox keeps all its certificates in the folder of its authority's.
    certificates = Certificates(control_plane.ca_file.parent)
    context = ssl.create_default_context(cafile=str(certificates.ca))
    context.load_cert_chain(certificates.certificate, certificates.key)
    etcd = control_plane.component_url(Component.ETCD)

    def ask(path: str, body: dict[str, object]) -> Answer:
        answer = request(f"{etcd}{path}", context=context, method="POST", body=json.dumps(body).encode())
        if answer.status != http.client.OK:
            raise SandboxError(f"etcd answered {answer.status} to {path}: {answer.text()}; see its log")
        return answer

    # Any read tells the present revision.
    key = base64.b64encode(b"\0").decode("ascii")
    revision = int(json.loads(ask("/v3/kv/range", {"key": key}).body)["header"]["revision"])
    ask("/v3/kv/compaction", {"revision": str(revision), "physical": True})
    return revision
