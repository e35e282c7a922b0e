"""A pod that asks for what no plugin honours is named the field and the plugin."""

from typing import Any

import pytest

from hydatis.scheduler.unsupported import KNOWN_VOLUMES, unsupported_features


@pytest.mark.parametrize(
    ("spec", "features"),
    [
        ({"resourceClaims": [{"name": "gpu"}]}, ("spec.resourceClaims (plugin DynamicResources)",)),
        ({"schedulingGroup": {"podGroupName": "ring"}}, ("spec.schedulingGroup (plugin GangScheduling)",)),
        ({"workloadRef": {"name": "ring"}}, ("spec.schedulingGroup (plugin GangScheduling)",)),
        (
            {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "hologram": {}}]},
            ("spec.volumes[1].hologram (plugin VolumeRestrictions)",),
        ),
        ({"resourceClaims": []}, ()),
    ],
    ids=["a resource claim", "a scheduling group", "a workload", "a volume of a kind to come", "an empty list"],
)
def test_what_is_not_honoured_is_named(spec: dict[str, Any], features: tuple[str, ...]) -> None:
    assert unsupported_features(spec) == features


@pytest.mark.parametrize("kind", sorted(KNOWN_VOLUMES))
def test_every_kind_of_volume_that_kubernetes_has_is_honoured(kind: str) -> None:
    assert unsupported_features({"volumes": [{"name": "v", kind: {}}]}) == ()
