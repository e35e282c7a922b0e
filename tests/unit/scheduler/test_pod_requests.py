"""A pod's requests add up as Kubernetes adds them up."""

from typing import Any

import pytest

from hydatis.scheduler.pod_requests import (
    container_cpu,
    overhead_millicores,
    pod_limits,
    pod_nonzero_requests,
    pod_requests,
)
from hydatis.scheduler.testing import PodBuilder, pod


def _resources(**requests: str) -> dict[str, Any]:
    return {"requests": {name.replace("_", "-"): quantity for name, quantity in requests.items()}}


def _requests(builder: PodBuilder) -> dict[str, int]:
    manifest = builder.manifest()
    return pod_requests(manifest["spec"], manifest["status"])


CASES: list[tuple[str, PodBuilder, dict[str, int]]] = [
    ("a pod without requests asks for nothing", pod(), {}),
    (
        "cpu counts in millicores, memory in bytes",
        pod().requests(cpu="1500m", memory="1Gi"),
        {"cpu": 1500, "memory": 2**30},
    ),
    (
        "containers add up, and rounding comes last",
        pod().requests(cpu="0.5m").container(name="b", resources=_resources(cpu="0.5m")),
        {"cpu": 1},
    ),
    (
        "the largest init container counts when it needs more than the containers",
        pod()
        .requests(cpu="1", memory="3Gi")
        .init_container(name="i1", resources=_resources(cpu="2", memory="1Gi"))
        .init_container(name="i2", resources=_resources(cpu="500m", memory="2Gi")),
        {"cpu": 2000, "memory": 3 * 2**30},
    ),
    (
        "a sidecar runs beside the containers",
        pod().requests(cpu="1").init_container(name="s", restartPolicy="Always", resources=_resources(cpu="200m")),
        {"cpu": 1200},
    ),
    (
        "an init container runs beside the sidecars started before it, not those after",
        pod()
        .requests(cpu="100m")
        .init_container(name="s1", restartPolicy="Always", resources=_resources(cpu="200m"))
        .init_container(name="i", resources=_resources(cpu="1"))
        .init_container(name="s2", restartPolicy="Always", resources=_resources(cpu="300m")),
        {"cpu": 1200},
    ),
    (
        "overhead comes on top",
        pod().requests(cpu="1").set_spec(overhead={"cpu": "250m", "memory": "64Mi"}),
        {"cpu": 1250, "memory": 64 * 2**20},
    ),
    (
        "pod-level requests replace the containers' sum, and only for what they name",
        pod().requests(cpu="1", memory="1Gi").set_spec(resources={"requests": {"cpu": "3"}}, overhead={"cpu": "1"}),
        {"cpu": 4000, "memory": 2**30},
    ),
    (
        "extended resources, huge pages and attachable volumes count in units",
        pod().request_of({"nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi", "attachable-volumes-aws-ebs": 1}),
        {"nvidia.com/gpu": 2, "hugepages-2Mi": 4 * 2**20, "attachable-volumes-aws-ebs": 1},
    ),
    ("a plain unknown name does not count", pod().request_of({"storage": "1Gi", "cpu": "1"}), {"cpu": 1000}),
    ("zero is a request of nothing", pod().requests(cpu="0", memory=0), {"cpu": 0, "memory": 0}),
    (
        "what the kubelet allocated in place counts when it is more",
        pod().requests(cpu="1").set_status(containerStatuses=[{"name": "main", "allocatedResources": {"cpu": "2"}}]),
        {"cpu": 2000},
    ),
    (
        "an infeasible resize counts as what is allocated",
        pod()
        .requests(cpu="8")
        .set_status(
            conditions=[{"type": "PodResizePending", "reason": "Infeasible"}],
            containerStatuses=[
                {"name": "main", "allocatedResources": {"cpu": "1"}, "resources": {"requests": {"cpu": "1"}}}
            ],
        ),
        {"cpu": 1000},
    ),
]


@pytest.mark.parametrize(("builder", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_pod_requests(builder: PodBuilder, expected: dict[str, int]) -> None:
    assert _requests(builder) == expected


def test_each_container_without_a_request_counts_as_100m_and_200mi_in_scoring() -> None:
    manifest = pod().requests(cpu="1").container(name="b").manifest()
    assert pod_nonzero_requests(manifest["spec"], {}) == (1100, 2 * 200 * 2**20)


def test_an_explicit_zero_stays_zero_in_scoring() -> None:
    manifest = pod().requests(cpu="0", memory="0").manifest()
    assert pod_nonzero_requests(manifest["spec"], {}) == (0, 0)


def _container(name: str, limits: dict[str, str], **fields: Any) -> dict[str, Any]:
    return {"name": name, "resources": {"limits": limits}, **fields}


@pytest.mark.parametrize(
    ("spec", "limits"),
    [
        ({"containers": [_container("a", {})]}, {}),
        (
            {"containers": [_container("a", {"cpu": "1", "memory": "1Ki"}), _container("b", {"cpu": "500m"})]},
            {"cpu": 1500, "memory": 1024},
        ),
        (
            {
                "containers": [_container("a", {"cpu": "1"})],
                "initContainers": [
                    _container("sidecar", {"cpu": "200m"}, restartPolicy="Always"),
                    _container("init", {"cpu": "2"}),
                ],
            },
            {"cpu": 2200},
        ),
        ({"containers": [_container("a", {"cpu": "1"})], "overhead": {"cpu": "50m", "memory": "1Ki"}}, {"cpu": 1050}),
        ({"containers": [_container("a", {"nvidia.com/gpu": "1", "ephemeral-storage": "1Gi"})]}, {}),
    ],
    ids=["none", "two containers", "an init container beside a sidecar", "overhead", "what is neither cpu nor memory"],
)
def test_limits_add_up_like_requests(spec: dict[str, Any], limits: dict[str, int]) -> None:
    assert pod_limits(spec) == limits


def test_each_container_states_its_own_cpu() -> None:
    containers = [
        {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}},
        {"resources": {"requests": {"cpu": "1.5"}}},
        {},
    ]
    spec = {"containers": containers, "initContainers": [_container("init", {"cpu": "9"})], "overhead": {"cpu": "10m"}}
    assert container_cpu(spec) == ((100, 1000), (1500, None), (None, None))
    assert overhead_millicores(spec) == 10
    assert overhead_millicores({}) == 0
