"""The definition of MLSchedulerPolicy says the same as `hydatis.scheduler.policy`, and says it in full."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hydatis.scheduler import ensemble_weights, plugin_args, policy

DEFINITION = Path(__file__).resolve().parents[3] / "crds" / f"{policy.PLURAL}.{policy.GROUP}.yaml"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def schema(definition: dict[str, Any]) -> dict[str, Any]:
    (version,) = definition["spec"]["versions"]
    assert version["name"] == policy.VERSION
    root: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return root


@pytest.fixture(scope="module")
def spec(schema: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = schema["properties"]["spec"]["properties"]
    return properties


def walk(node: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from walk(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if name in node:
            yield from walk(node[name], f"{path}.{name}")


def test_the_names_are_those_that_the_code_uses(definition: dict[str, Any]) -> None:
    names = definition["spec"]["names"]
    assert (names["kind"], names["plural"], definition["spec"]["group"]) == (policy.KIND, policy.PLURAL, policy.GROUP)
    assert names["shortNames"] == ["mlsp"]
    assert definition["spec"]["scope"] == "Cluster"


def test_every_named_field_has_a_description(schema: dict[str, Any]) -> None:
    unnamed = (".items", ".additionalProperties", ".metadata")
    missing = [path for path, node in walk(schema, "") if "description" not in node and not path.endswith(unnamed)]
    assert missing == []


def test_every_text_list_and_map_of_a_spec_is_bounded(schema: dict[str, Any]) -> None:
    def bounded(node: dict[str, Any]) -> bool:
        match node["type"]:
            case "string":
                return "maxLength" in node or "enum" in node
            case "array":
                return "maxItems" in node
            case "object":
                return "properties" in node or "maxProperties" in node
            case _:
                return True

    assert [path for path, node in walk(schema["properties"]["spec"], "spec") if not bounded(node)] == []


def test_both_label_selectors_follow_the_same_rules(spec: dict[str, Any]) -> None:
    selectors = spec["selector"]["properties"]
    namespace, pod = dict(selectors["namespaceSelector"]), dict(selectors["podSelector"])
    assert namespace.pop("description") != pod.pop("description")
    assert namespace == pod


def test_the_bounds_are_those_of_the_validator(spec: dict[str, Any]) -> None:
    selector = spec["selector"]["properties"]
    labels, expressions = selector["podSelector"]["properties"].values()
    items = (labels["maxProperties"], expressions["maxItems"], expressions["items"]["properties"]["values"]["maxItems"])
    assert set(items) == {policy.SELECTOR_ITEMS_MAX}
    assert selector["namespaces"]["maxItems"] == policy.NAMESPACES_MAX
    assert selector["schedulerNames"]["maxItems"] == policy.SCHEDULER_NAMES_MAX
    assert spec["pluginWeights"]["maxProperties"] == policy.PLUGIN_WEIGHTS_MAX
    assert spec["pluginWeights"]["additionalProperties"]["maximum"] == policy.WEIGHT_MAX
    assert (spec["priority"]["minimum"], spec["priority"]["maximum"]) == (policy.INT32_MIN, policy.INT32_MAX)


def test_heuristics_and_plugins_are_those_of_the_validator(schema: dict[str, Any], spec: dict[str, Any]) -> None:
    assert spec["fallback"]["properties"]["heuristic"]["enum"] == list(policy.Heuristic)
    assert spec["pluginWeights"]["default"] == policy.SCORE_PLUGIN_WEIGHTS
    (known,) = spec["pluginWeights"]["x-kubernetes-validations"]
    not_all_zero, _, _ = schema["properties"]["spec"]["x-kubernetes-validations"]
    for plugin in policy.SCORE_PLUGIN_WEIGHTS:
        assert f"'{plugin}'" in known["rule"]
        assert plugin in known["message"]
        assert f"'{plugin}'" in not_all_zero["rule"]


def test_modes_and_parts_of_the_ensemble_are_those_of_the_validator(spec: dict[str, Any]) -> None:
    assert spec["mode"]["enum"] == list(policy.PolicyMode)
    assert spec["mode"]["default"] == policy.PolicyMode.AUTO
    parts = spec["ensemble"]["properties"]
    assert list(parts) == ["expectedOverload", *ensemble_weights.MODEL_FIELDS.values()]
    assert {part["properties"]["weight"]["maximum"] for part in parts.values()} == {ensemble_weights.PART_WEIGHT_MAX}
    for kind, name in ensemble_weights.MODEL_FIELDS.items():
        assert f"kind {kind}." in parts[name]["properties"]["model"]["description"]
    (some_weight,) = spec["ensemble"]["x-kubernetes-validations"]
    assert all(f"self.{name}.weight > 0" in some_weight["rule"] for name in parts)


def test_the_arguments_of_plugins_are_those_of_the_validator(spec: dict[str, Any]) -> None:
    plugins = spec["pluginArgs"]["properties"]
    strategy = plugins["NodeResourcesFit"]["properties"]["scoringStrategy"]["properties"]
    assert strategy["type"]["enum"] == list(plugin_args.ScoringStrategyType)
    shape = strategy["requestedToCapacityRatio"]["properties"]["shape"]
    assert shape["maxItems"] == plugin_args.UTILIZATION_MAX + 1
    point = shape["items"]["properties"]
    assert point["utilization"]["maximum"] == plugin_args.UTILIZATION_MAX
    assert point["score"]["maximum"] == plugin_args.SHAPE_SCORE_MAX
    balanced = plugins["NodeResourcesBalancedAllocation"]["properties"]
    for resources, weight in ((strategy["resources"], plugin_args.RESOURCE_WEIGHT_MAX), (balanced["resources"], 1)):
        assert resources["maxItems"] == plugin_args.RESOURCES_MAX
        resource = resources["items"]["properties"]
        assert resource["weight"]["maximum"] == weight
        assert resource["name"]["maxLength"] == plugin_args.RESOURCE_NAME_MAX
        assert resource["name"]["pattern"].replace("[.]", r"\.") == f"^{plugin_args.RESOURCE_NAME.pattern}$"


def test_the_reserved_name_is_that_of_the_built_in_policy(schema: dict[str, Any]) -> None:
    (reserved,) = schema["x-kubernetes-validations"]
    assert f"'{policy.BUILT_IN_POLICY.name}'" in reserved["rule"]


def test_helm_keeps_the_definition_when_it_uninstalls(definition: dict[str, Any]) -> None:
    assert definition["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
