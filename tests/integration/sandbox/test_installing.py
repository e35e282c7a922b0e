import json
from pathlib import Path

import pytest

from hydatis.sandbox.controlplane import ControlPlane, SandboxError
from hydatis.sandbox.installing import SERVICE_ACCOUNT, install_chart


@pytest.fixture
def own(tmp_path: Path) -> ControlPlane:
    return ControlPlane.start(tmp_path)


def test_helm_installs_the_chart_and_upgrades_it_to_other_values(own: ControlPlane) -> None:
    with own:
        kubeconfig = install_chart(own)
        who = own.kubectl(f"--kubeconfig={kubeconfig}", "auth", "whoami", "-o", "json")
        username = json.loads(who)["status"]["userInfo"]["username"]
        assert username == f"system:serviceaccount:hydatis-system:{SERVICE_ACCOUNT}"
        assert "mlschedulerpolicies.hydatis.io" in own.kubectl("get", "crds", "-o", "name")
        assert own.kubectl("get", "deployments", "-A", "-o", "jsonpath={.items[*].spec.replicas}") == "0"

        install_chart(own, values={"replicas": 1})
        assert own.kubectl("get", "deployments", "-A", "-o", "jsonpath={.items[*].spec.replicas}") == "1"
        (release,) = json.loads(own.helm("list", "-A", "-o", "json"))
        assert (release["status"], release["revision"]) == ("deployed", "2")

        with pytest.raises(SandboxError, match="replicas"):
            install_chart(own, values={"replicas": "many"})
