"""Which features there are, by kind of model. All shares are of what the node can allocate."""

from collections.abc import Mapping
from types import MappingProxyType

from hydatis.scheduler.features.schema import Feature, FeatureSchema
from hydatis.scheduler.models.kind import ModelKind


def _share(name: str, meaning: str, high: float = 3.0) -> Feature:
    return Feature(name, "share", 0.0, high, 0.0, meaning)


_NODE = (
    _share("cpu_utilization", "CPU in use now"),
    _share("cpu_utilization_15m", "CPU in use, mean of 15 minutes"),
    _share("cpu_deviation_15m", "standard deviation of the same samples"),
    _share("cpu_peak_1h", "highest mean of five minutes of CPU within the hour"),
    _share("cpu_peak_24h", "the same within the day"),
    _share("cpu_expected", "CPU that its pods use on average"),
    _share("cpu_expected_deviation", "standard deviation of that"),
    _share("cpu_requested", "CPU that its pods request", 1.0),
    _share("memory_utilization", "memory in use now"),
    _share("memory_expected", "memory that its pods use on average"),
    _share("memory_requested", "memory that its pods request", 1.0),
    Feature("memory_available", "GiB", 0.0, 65536.0, 0.0, "memory that is not in use"),
    Feature("pods", "pods", 0.0, 10000.0, 0.0, "pods on the node"),
    Feature("pod_density", "pods a core", 0.0, 1000.0, 0.0, "pods for each core"),
    Feature("cpu_capacity", "cores", 0.0, 100000.0, 0.0, "CPU that the node can allocate"),
    Feature("measured", "flag", 0.0, 1.0, 0.0, "1 while the node's last sample is younger than three minutes"),
    _share("resource_pressure", "the higher of CPU and memory in use now"),
)
_PLACEMENT = (
    _share("pod_cpu_request", "CPU that the pod requests", 1.0),
    _share("pod_cpu_expected", "CPU that pods of its owner use on average"),
    _share("pod_cpu_deviation", "standard deviation of one such pod's use"),
    _share("pod_memory_expected", "memory that pods of its owner use on average"),
    Feature("owner_use", "share of request", 0.0, 10.0, 0.5, "CPU that pods of its owner use on average"),
    Feature("owner_shared", "share", 0.0, 1.0, 0.3, "part of the variance that its owner's pods have in common"),
    Feature("owner_observations", "log10", 0.0, 6.0, 0.0, "independent observations of its owner, plus 1"),
    _share("like_requested", "CPU that pods of the same owner on the node request", 1.0),
    _share("cpu_after", "CPU in use now, and what the pod is expected to use"),
    _share("cpu_expected_after", "CPU that its pods use on average, the pod included"),
    Feature("overload_added", "log10", -12.0, 2.0, -12.0, "what ExpectedOverload finds that the pod adds"),
    _share("cluster_cpu_utilization", "CPU in use now on all nodes together"),
    Feature("hour_sine", "", -1.0, 1.0, 0.0, "sine of the time of day"),
    Feature("hour_cosine", "", -1.0, 1.0, 1.0, "cosine of the time of day"),
)

NODE_SCHEMA = FeatureSchema("node", 1, _NODE)
"""What anomaly scores see: one node."""
PLACEMENT_SCHEMA = FeatureSchema("placement", 1, (*_NODE, *_PLACEMENT))
"""What the load model and the placement agent see: one pod on one node. It begins with the node's own columns."""
REQUESTS_SCHEMA = FeatureSchema(
    "requests",
    1,
    (
        *(feature for feature in _NODE if feature.name in ("cpu_requested", "memory_requested")),
        *(feature for feature in _NODE if feature.name in ("pods", "pod_density", "cpu_capacity")),
        Feature("memory_capacity", "GiB", 0.0, 65536.0, 0.0, "memory that the node can allocate"),
    ),
)
"""What decisions without an ensemble are explained by; no model reads it."""
SCHEMAS: Mapping[ModelKind, FeatureSchema] = MappingProxyType(
    {ModelKind.LOAD: PLACEMENT_SCHEMA, ModelKind.PLACEMENT: PLACEMENT_SCHEMA, ModelKind.ANOMALY: NODE_SCHEMA}
)
"""By kind of model."""
