import numpy as np

from hydatis.simulations.workloads import (
    MIXED_SHAPES,
    TRAINING,
    UNIFORM_SHAPE,
    WEB,
    PodShape,
    mixed_pod_shapes,
    pod_manifest,
    pod_template,
)


def test_the_same_seed_draws_the_same_shapes() -> None:
    first = mixed_pod_shapes(200, np.random.default_rng(3))
    assert first == mixed_pod_shapes(200, np.random.default_rng(3))
    assert first != mixed_pod_shapes(200, np.random.default_rng(4))


def test_heavier_shapes_are_drawn_more_often() -> None:
    drawn = mixed_pod_shapes(5000, np.random.default_rng(3))
    share = drawn.count(WEB) / len(drawn)
    expected = WEB.weight / sum(shape.weight for shape in MIXED_SHAPES)
    assert abs(share - expected) < 0.03


def test_a_pod_names_its_scheduler_and_its_requests() -> None:
    pod = pod_manifest(UNIFORM_SHAPE, name="p-1", namespace="load", scheduler_name="hydatis")
    assert pod["metadata"] == {"name": "p-1", "namespace": "load", "labels": {"app": "uniform"}}
    assert pod["spec"]["schedulerName"] == "hydatis"
    assert pod["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}}


def test_gpus_are_limits_as_well_as_requests_because_the_api_server_asks_for_both() -> None:
    resources = pod_template(TRAINING, scheduler_name="hydatis")["spec"]["containers"][0]["resources"]
    assert resources["limits"] == {"nvidia.com/gpu": "1"}
    assert resources["requests"]["nvidia.com/gpu"] == "1"


def test_manifests_share_no_mutable_part_with_their_shape() -> None:
    shape = PodShape("s", 1, 1, tolerations=({"operator": "Exists"},))
    pod_template(shape, scheduler_name="hydatis")["spec"]["tolerations"][0]["operator"] = "Equal"
    assert pod_template(shape, scheduler_name="hydatis")["spec"]["tolerations"] == [{"operator": "Exists"}]
