"""A policy is either complete and valid, or refused with every error; and each pod has exactly one."""

import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydatis.scheduler.filter_args import PREFERRED, REQUIRED
from hydatis.scheduler.plugin_args import (
    PluginArgs,
    ResourceSpec,
    ScoringStrategy,
    ScoringStrategyType,
    UtilizationShapePoint,
)
from hydatis.scheduler.policy import (
    API_VERSION,
    BUILT_IN_POLICY,
    KIND,
    POLICY_ANNOTATION,
    SCORE_PLUGIN_WEIGHTS,
    EnsembleWeights,
    Heuristic,
    PodSelector,
    Policy,
    PolicyInvalid,
    PolicyMode,
    parse_policy,
    select_policy,
)


def manifest(spec: object = MappingProxyType({}), **fields: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "p"}, "spec": spec, **fields}


def errors_of(candidate: Any) -> list[str]:
    with pytest.raises(PolicyInvalid) as raised:
        parse_policy(candidate)
    return [str(error) for error in raised.value.errors]


def selected(policies: list[Policy], **pod: Any) -> str:
    arguments: dict[str, Any] = {"namespace": "default", "namespace_labels": {}, "pod_labels": {}}
    arguments |= {"pod_annotations": {}, "scheduler_name": "hydatis"} | pod
    return select_policy(policies, **arguments).name


def test_an_empty_spec_gives_every_default() -> None:
    assert parse_policy(manifest()) == Policy(
        name="p",
        generation=0,
        priority=0,
        selector=PodSelector(),
        heuristic=Heuristic.KUBE_SCHEDULER,
        plugin_weights=SCORE_PLUGIN_WEIGHTS,
    )


def test_every_field_is_read() -> None:
    spec = {
        "selector": {
            "namespaces": ["batch", "web"],
            "podSelector": {"matchLabels": {"tier": "front"}},
        },
        "priority": -5,
        "pluginWeights": {"NodeAffinity": 7, "TaintToleration": 0},
        "fallback": {"heuristic": "MostAllocated"},
    }
    policy = parse_policy(manifest(spec, metadata={"name": "front.v1", "generation": 3}, status={"anything": True}))
    assert (policy.name, policy.generation, policy.priority) == ("front.v1", 3, -5)
    assert policy.heuristic is Heuristic.MOST_ALLOCATED
    assert policy.plugin_weights == {**SCORE_PLUGIN_WEIGHTS, "NodeAffinity": 7, "TaintToleration": 0}
    assert policy.selector.matches("web", {}, {"tier": "front"}, "hydatis")
    assert not policy.selector.matches("other", {}, {"tier": "front"}, "hydatis")
    assert not policy.selector.matches("web", {}, {"tier": "back"}, "hydatis")


def test_the_arguments_of_plugins_are_read() -> None:
    shape = [{"utilization": 0, "score": 10}, {"utilization": 80, "score": 0}]
    strategy = {
        "type": "RequestedToCapacityRatio",
        "resources": [{"name": "example.com/gpu", "weight": 5}, {"name": "cpu"}],
        "requestedToCapacityRatio": {"shape": shape},
    }
    args = {
        "NodeResourcesFit": {"scoringStrategy": strategy},
        "NodeResourcesBalancedAllocation": {"resources": [{"name": "memory"}]},
    }
    assert parse_policy(manifest({"pluginArgs": args})).plugin_args == PluginArgs(
        scoring_strategy=ScoringStrategy(
            ScoringStrategyType.REQUESTED_TO_CAPACITY_RATIO,
            (ResourceSpec("example.com/gpu", 5), ResourceSpec("cpu")),
            (UtilizationShapePoint(0, 10), UtilizationShapePoint(80, 0)),
        ),
        balanced_resources=(ResourceSpec("memory"),),
    )


def test_a_strategy_without_resources_counts_cpu_and_memory() -> None:
    args = {"NodeResourcesFit": {"scoringStrategy": {"type": "MostAllocated"}}}
    assert parse_policy(manifest({"pluginArgs": args})).plugin_args == PluginArgs(
        ScoringStrategy(ScoringStrategyType.MOST_ALLOCATED, (ResourceSpec("cpu"), ResourceSpec("memory")))
    )


def test_mode_and_ensemble_are_read() -> None:
    ensemble = {
        "expectedOverload": {"weight": 50},
        "load": {"model": "load-v1", "weight": 40},
        "placement": {"model": "placement-v1", "weight": 0},
    }
    policy = parse_policy(manifest({"mode": "Shadow", "ensemble": ensemble}))
    assert policy.mode is PolicyMode.SHADOW
    assert policy.ensemble == EnsembleWeights(
        expected_overload=50, load=40, load_model="load-v1", placement_model="placement-v1"
    )
    assert (policy.names_model("placement-v1"), policy.names_model("load-v2")) == (True, False)


def test_without_an_ensemble_the_heuristic_scores_as_ever() -> None:
    policy = parse_policy(manifest())
    assert (policy.mode, policy.ensemble) == (PolicyMode.AUTO, None)
    assert policy.mode_with({}) is PolicyMode.FALLBACK
    assert not policy.names_model("load-v1")


def test_a_namespace_selector_reads_the_labels_of_the_namespace() -> None:
    spec = {"selector": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}
    policy = parse_policy(manifest(spec))
    assert policy.selector.matches("any", {"team": "a"}, {}, "hydatis")
    assert not policy.selector.matches("any", {"team": "b"}, {"team": "a"}, "hydatis")


def test_null_fields_are_absent_fields() -> None:
    spec = {
        "selector": {"namespaces": None, "podSelector": None},
        "priority": None,
        "pluginWeights": None,
        "fallback": None,
    }
    assert parse_policy(manifest(spec)) == parse_policy(manifest())


def test_a_number_without_a_fraction_is_an_integer() -> None:
    assert parse_policy(manifest({"priority": 2.0})).priority == 2


def test_a_policy_cannot_be_changed() -> None:
    policy = parse_policy(manifest())
    with pytest.raises(AttributeError):
        policy.priority = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        policy.plugin_weights["NodeAffinity"] = 9  # type: ignore[index]


def test_a_policy_keeps_no_reference_to_its_manifest() -> None:
    spec = {"pluginWeights": {"NodeAffinity": 7}}
    policy = parse_policy(manifest(spec))
    spec["pluginWeights"]["NodeAffinity"] = 8
    assert policy.plugin_weights["NodeAffinity"] == 7


def test_equal_policies_hash_alike() -> None:
    assert hash(parse_policy(manifest())) == hash(parse_policy(manifest({"priority": 0})))


_KNOWN = (
    "TaintToleration, NodeAffinity, NodeResourcesFit, VolumeBinding, PodTopologySpread, InterPodAffinity, "
    "NodeResourcesBalancedAllocation, ImageLocality"
)
_INT32 = "give a whole number from -2147483648 to 2147483647"
_STRATEGY = "spec.pluginArgs.NodeResourcesFit.scoringStrategy"
_RATIO = f"{_STRATEGY}.requestedToCapacityRatio"


def _strategy(**fields: object) -> dict[str, Any]:
    return {"pluginArgs": {"NodeResourcesFit": {"scoringStrategy": fields}}}


def _point(utilization: int, score: int) -> dict[str, int]:
    return {"utilization": utilization, "score": score}


def _shape(*points: object) -> dict[str, Any]:
    return _strategy(type="RequestedToCapacityRatio", requestedToCapacityRatio={"shape": list(points)})


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(
            "x", "spec must be an object, not the text 'x': write it as `name: value` lines", id="a spec of text"
        ),
        pytest.param(
            {"wieghts": 1, "modes": "Auto"},
            "spec has the unknown fields 'wieghts', 'modes': remove or correct the names; "
            "the fields here are selector, priority, mode, ensemble, pluginWeights, pluginArgs, fallback",
            id="unknown fields",
        ),
        pytest.param(
            {"mode": "Learned"},
            "spec.mode is the text 'Learned', which is no mode: use one of Auto, Ensemble, Fallback, Shadow, Paused",
            id="an unknown mode",
        ),
        pytest.param(
            {"mode": "Ensemble"},
            "spec.mode is Ensemble, and there is no ensemble: "
            "add spec.ensemble with at least one part, or choose another mode",
            id="a mode without its ensemble",
        ),
        pytest.param(
            {"ensemble": {"load": {"model": "m", "weight": 0}}},
            "spec.ensemble has no part with a weight above 0, so that it has nothing to score with: "
            "give expectedOverload, load, placement or anomaly a weight above 0, or remove it",
            id="an ensemble that scores nothing",
        ),
        pytest.param(
            {"ensemble": {"load": {"weight": 1}}},
            "spec.ensemble.load.model is missing: name an MLModel",
            id="a part without a model",
        ),
        pytest.param(
            {"ensemble": {"anomaly": {"model": "m"}}},
            "spec.ensemble.anomaly.weight is missing: give a whole number from 0 to 100",
            id="a part without a weight",
        ),
        pytest.param(
            {"ensemble": {"placement": {"model": "M", "weight": 1}}},
            "spec.ensemble.placement.model is 'M', which is no valid name: "
            "give the name of an MLModel: at most 253 lowercase letters, digits, '-' and '.'",
            id="a model with a capital",
        ),
        pytest.param(
            {"priority": "high"}, f"spec.priority must be an integer, not the text 'high': {_INT32}", id="text"
        ),
        pytest.param({"priority": True}, f"spec.priority must be an integer, not true: {_INT32}", id="a boolean"),
        pytest.param(
            {"priority": 1.5}, f"spec.priority must be an integer, not the number 1.5: {_INT32}", id="a fraction"
        ),
        pytest.param(
            {"priority": 2**31},
            f"spec.priority is the number 2147483648, which is out of range: {_INT32}",
            id="too large",
        ),
        pytest.param(
            {"priority": 10**5000},
            f"spec.priority is a number of more than 18 digits, which is out of range: {_INT32}",
            id="a number that Python refuses to print",
        ),
        pytest.param(
            {"pluginWeights": {"GpuAffinity": 1}},
            f"spec.pluginWeights[GpuAffinity] is no score plugin: use one of {_KNOWN}",
            id="an unknown plugin",
        ),
        pytest.param(
            {"pluginWeights": {"NodeAffinity": 101}},
            "spec.pluginWeights[NodeAffinity] is the number 101, which is out of range: "
            "give a whole number from 0 to 100",
            id="a weight out of range",
        ),
        pytest.param(
            {"pluginWeights": dict.fromkeys(SCORE_PLUGIN_WEIGHTS, 0)},
            "spec.pluginWeights are all 0, so that the heuristic KubeScheduler has nothing to score with: "
            "give at least one plugin a weight above 0, or choose another spec.fallback.heuristic",
            id="all weights zero",
        ),
        pytest.param(
            {"fallback": {"heuristic": "leastAllocated"}},
            "spec.fallback.heuristic is the text 'leastAllocated', which is no heuristic: "
            "use one of KubeScheduler, LeastAllocated, MostAllocated",
            id="an unknown heuristic",
        ),
        pytest.param(
            {"selector": {"namespaces": []}},
            "spec.selector.namespaces is empty: "
            "list at least one namespace, or remove the field to select every namespace",
            id="no namespaces",
        ),
        pytest.param(
            {"selector": {"namespaces": ["a", "b", "a"]}},
            "spec.selector.namespaces[2] repeats spec.selector.namespaces[0], 'a': list each namespace once",
            id="a namespace twice",
        ),
        pytest.param(
            {"selector": {"namespaces": ["a"], "namespaceSelector": {}}},
            "spec.selector has both namespaces and namespaceSelector: "
            "keep one: the names of the namespaces, or a selector for their labels",
            id="two ways to select namespaces",
        ),
        pytest.param(
            {"selector": {"podSelector": {"matchLabels": {"a": None}}}},
            "spec.selector.podSelector.matchLabels[a] must be text, not null: put the value in quotes",
            id="an error inside a label selector",
        ),
        pytest.param(
            {"pluginArgs": {"NodeName": {}}},
            "spec.pluginArgs has the unknown field 'NodeName': remove or correct the name; "
            "the fields here are NodeResourcesFit, NodeResourcesBalancedAllocation, NodeAffinity, PodTopologySpread",
            id="arguments of an unknown plugin",
        ),
        pytest.param(
            {"pluginArgs": {"NodeResourcesFit": {}}, "fallback": {"heuristic": "LeastAllocated"}},
            "spec.pluginArgs.NodeResourcesFit has no effect with the heuristic LeastAllocated: "
            "remove it, or choose the spec.fallback.heuristic KubeScheduler",
            id="arguments without effect",
        ),
        pytest.param(
            _strategy(resources=[{"name": "cpu"}]),
            f"{_STRATEGY}.type is missing: use one of LeastAllocated, MostAllocated, RequestedToCapacityRatio",
            id="a strategy without a type",
        ),
        pytest.param(
            _strategy(type="BestFit"),
            f"{_STRATEGY}.type is the text 'BestFit', which is no scoring strategy: "
            "use one of LeastAllocated, MostAllocated, RequestedToCapacityRatio",
            id="an unknown strategy",
        ),
        pytest.param(
            _strategy(type="LeastAllocated", resources=[]),
            f"{_STRATEGY}.resources is empty: "
            "list at least one resource, or remove the field to score by cpu and memory",
            id="no resources",
        ),
        pytest.param(
            _strategy(type="LeastAllocated", resources=[{"name": "cpu"}, {"name": "gpu", "weight": 1}]),
            f"{_STRATEGY}.resources[1].name is 'gpu', which is no resource that nodes can be scored by: "
            "use cpu, memory, ephemeral-storage, hugepages-SIZE, or the whole name of another, as example.com/gpu",
            id="a resource that counts for nothing",
        ),
        pytest.param(
            _strategy(type="LeastAllocated", resources=[{"weight": 1}]),
            f"{_STRATEGY}.resources[0].name is missing: name the resource",
            id="a resource without a name",
        ),
        pytest.param(
            _strategy(type="LeastAllocated", resources=[{"name": "cpu"}, {"name": "cpu"}]),
            f"{_STRATEGY}.resources[1].name repeats {_STRATEGY}.resources[0].name, 'cpu': list each resource once",
            id="a resource twice",
        ),
        pytest.param(
            _strategy(type="LeastAllocated", resources=[{"name": "cpu", "weight": 101}]),
            f"{_STRATEGY}.resources[0].weight is the number 101, which is out of range: "
            "give a whole number from 1 to 100",
            id="a resource with too much weight",
        ),
        pytest.param(
            {"pluginArgs": {"NodeResourcesBalancedAllocation": {"resources": [{"name": "cpu", "weight": 2}]}}},
            "spec.pluginArgs.NodeResourcesBalancedAllocation.resources[0].weight is the number 2, "
            "which is out of range: give a whole number from 1 to 1",
            id="a balanced resource with a weight",
        ),
        pytest.param(
            _strategy(type="RequestedToCapacityRatio"),
            f"{_RATIO} is missing: add it with its shape, which the type RequestedToCapacityRatio scores by",
            id="a ratio without its function",
        ),
        pytest.param(
            _strategy(type="MostAllocated", requestedToCapacityRatio={"shape": [_point(0, 0)]}),
            f"{_RATIO} is not for the type MostAllocated: remove it, or set type to RequestedToCapacityRatio",
            id="a function for another strategy",
        ),
        pytest.param(
            _shape(),
            f"{_RATIO}.shape has no point: give at least one, with utilization (0-100) and score (0-10)",
            id="a shape without points",
        ),
        pytest.param(
            _shape({"utilization": 5}),
            f"{_RATIO}.shape[0].score is missing: give a whole number from 0 to 10",
            id="a point without a score",
        ),
        pytest.param(
            _shape(_point(101, 5)),
            f"{_RATIO}.shape[0].utilization is the number 101, which is out of range: "
            "give a whole number from 0 to 100",
            id="a utilization out of range",
        ),
        pytest.param(
            _shape(_point(50, 5), _point(50, 6)),
            f"{_RATIO}.shape[1].utilization is 50, which is not above the 50 of the point before: "
            "list the points by rising utilization, each once",
            id="a utilization twice",
        ),
    ],
)
def test_an_error_names_the_field_and_the_remedy(spec: object, expected: str) -> None:
    assert errors_of(manifest(spec)) == [expected]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"apiVersion": "hydatis.io/v1"},
            "apiVersion is the text 'hydatis.io/v1': write apiVersion: hydatis.io/v1alpha1",
        ),
        ({"apiVersion": None}, "apiVersion is missing: write apiVersion: hydatis.io/v1alpha1"),
        ({"kind": "Policy"}, "kind is the text 'Policy': write kind: MLSchedulerPolicy"),
        ({"spec": None}, "spec is missing: add it; `spec: {}` selects every pod and keeps every default"),
        ({"metadata": {}}, "metadata.name is missing: name the policy"),
        ({"metadata": {"name": 7}}, "metadata.name must be text, not the number 7: put the value in quotes"),
        (
            {"metadata": {"name": "built-in"}},
            "metadata.name is 'built-in', the name of HYDATIS' own default policy: choose another name",
        ),
        (
            {"metadata": {"name": "P"}},
            "metadata.name is 'P', which is no valid name: use at most 253 lowercase letters, digits, '-' and '.', "
            "with a letter or digit at both ends of each part",
        ),
        (
            {"metadata": {"name": "p", "generation": -1}},
            f"metadata.generation is the number -1, which is out of range: give a whole number from 0 to {2**63 - 1}",
        ),
        (
            {"Spec": {}},
            "the manifest has the unknown field 'Spec': remove or correct the name; "
            "the fields here are apiVersion, kind, metadata, spec, status",
        ),
    ],
)
def test_the_rest_of_the_manifest_is_checked_too(change: dict[str, Any], expected: str) -> None:
    assert errors_of(manifest() | change) == [expected]


def test_every_error_is_told_at_once() -> None:
    errors = errors_of(
        {
            "apiVersion": "v1",
            "spec": {
                "priority": "x",
                "unknown": 1,
                "fallback": [],
                "pluginWeights": {"A": 1, "NodeAffinity": -1},
                "selector": {"namespaces": ["A", 3], "podSelector": 1, "namespaceSelector": {"matchLabels": {"": ""}}},
            },
        }
    )
    assert [error.split(" ", 1)[0] for error in errors] == [
        "apiVersion",
        "kind",
        "metadata.name",
        "spec",
        "spec.selector",
        "spec.selector.namespaces[0]",
        "spec.selector.namespaces[1]",
        "spec.selector.namespaceSelector.matchLabels[]",
        "spec.selector.podSelector",
        "spec.priority",
        "spec.pluginWeights[A]",
        "spec.pluginWeights[NodeAffinity]",
        "spec.fallback",
    ]


def test_all_weights_may_be_zero_where_they_are_not_used() -> None:
    spec = {"pluginWeights": dict.fromkeys(SCORE_PLUGIN_WEIGHTS, 0), "fallback": {"heuristic": "LeastAllocated"}}
    assert not any(parse_policy(manifest(spec)).plugin_weights.values())


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"selector": value, "podSelector": [value]}
    return value


_HUGE = "A" * 10_000_000
_DEEP = _nested(20_000)


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(_HUGE, id="a huge text for the manifest"),
        pytest.param(manifest(_HUGE), id="a huge text for the spec"),
        pytest.param(manifest({_HUGE: 1}), id="a huge unknown field"),
        pytest.param(manifest({"pluginWeights": {_HUGE: _HUGE}}), id="a huge plugin"),
        pytest.param(manifest({"selector": {"namespaces": [_HUGE]}}), id="a huge namespace"),
        pytest.param(manifest({"selector": {"namespaces": ["a"] * 1_000_000}}), id="a million namespaces"),
        pytest.param(manifest({"selector": {"podSelector": {"matchLabels": {_HUGE: _HUGE}}}}), id="a huge label"),
        pytest.param(manifest({str(number): 1 for number in range(100_000)}), id="a hundred thousand unknown fields"),
        pytest.param(manifest(metadata={"name": _HUGE}), id="a huge name"),
        pytest.param(manifest(_DEEP), id="a deeply nested spec"),
        pytest.param(manifest({"priority": _DEEP}), id="a deeply nested number"),
    ],
)
def test_hostile_manifests_are_refused_in_few_words(candidate: object) -> None:
    errors = errors_of(candidate)
    assert errors
    assert sum(map(len, errors)) < 4000


_leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Cc", "L"]))
    | st.sampled_from(["KubeScheduler", "In", "Exists", "a", "", 10**40, float("inf"), float("nan")])
)
_names = st.sampled_from(
    (
        *("apiVersion", "kind", "metadata", "name", "generation", "spec", "selector", "namespaces", "podSelector"),
        *("matchLabels", "matchExpressions", "key", "operator", "values", "pluginWeights", "fallback", "heuristic"),
        *("pluginArgs", "NodeResourcesFit", "scoringStrategy", "type", "resources", "weight", "shape", "utilization"),
    )
)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_names | st.text(max_size=4) | st.integers(), inner, max_size=5)
    ),
    max_leaves=20,
)
_selectors = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.dictionaries(st.text(max_size=3), _leaves, max_size=3) | _values,
        "matchExpressions": st.lists(
            st.fixed_dictionaries({}, optional={"key": _leaves, "operator": _leaves, "values": _values}) | _values,
            max_size=3,
        ),
    },
)
_points = st.fixed_dictionaries({}, optional={"utilization": _leaves, "score": _leaves})
_fits = st.fixed_dictionaries(
    {
        "scoringStrategy": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(list(ScoringStrategyType)) | _leaves,
                "resources": st.lists(st.fixed_dictionaries({}, optional={"name": _leaves, "weight": _values}))
                | _values,
                "requestedToCapacityRatio": st.builds(lambda shape: {"shape": shape}, st.lists(_points) | _values),
            },
        )
    }
)
_requirements = st.fixed_dictionaries({}, optional={"key": _leaves, "operator": _leaves, "values": _values})
_terms = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.lists(_requirements, max_size=2) | _values,
        "matchFields": st.lists(_requirements, max_size=2) | _values,
    },
)
_affinities = st.fixed_dictionaries(
    {},
    optional={
        REQUIRED: st.builds(lambda terms: {"nodeSelectorTerms": terms}, st.lists(_terms, max_size=2) | _values),
        PREFERRED: st.lists(
            st.fixed_dictionaries({}, optional={"weight": _leaves, "preference": _terms | _values}), max_size=2
        ),
    },
)
_FIELDS = ("maxSkew", "topologyKey", "whenUnsatisfiable", "minDomains", "nodeAffinityPolicy", "labelSelector")
_constraints = st.fixed_dictionaries({}, optional=dict.fromkeys(_FIELDS, _leaves))
_spreads = st.fixed_dictionaries(
    {},
    optional={
        "defaultingType": st.just("List") | _leaves,
        "defaultConstraints": st.lists(_constraints, max_size=3) | _values,
    },
)
_parts = st.fixed_dictionaries({}, optional={"model": _leaves | st.just("m"), "weight": _leaves | st.integers(0, 100)})
_ensembles = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("expectedOverload", "load", "placement", "anomaly"), _parts | _values)
)
_specs = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(list(PolicyMode)) | _leaves,
        "ensemble": _ensembles | _values,
        "priority": _values,
        "pluginWeights": st.dictionaries(st.sampled_from(list(SCORE_PLUGIN_WEIGHTS)) | st.text(), _leaves, max_size=4),
        "fallback": st.fixed_dictionaries({}, optional={"heuristic": _values}) | _values,
        "pluginArgs": st.fixed_dictionaries(
            {},
            optional={
                "NodeResourcesFit": _fits | _values,
                "NodeAffinity": st.builds(lambda affinity: {"addedAffinity": affinity}, _affinities | _values),
                "PodTopologySpread": _spreads | _values,
            },
        )
        | _values,
        "selector": _values
        | st.fixed_dictionaries(
            {},
            optional={
                "namespaces": st.lists(_leaves, max_size=3) | _values,
                "namespaceSelector": _selectors,
                "podSelector": _selectors | _values,
            },
        ),
    },
)


@settings(max_examples=400, deadline=None)
@given(_values | _specs.map(manifest) | st.builds(manifest, _values, metadata=_values, status=_values))
def test_any_value_gives_a_complete_policy_or_short_printable_errors(candidate: Any) -> None:
    try:
        policy = parse_policy(candidate)
    except PolicyInvalid as invalid:
        errors = [str(error) for error in invalid.errors]
    else:
        assert set(policy.plugin_weights) == set(SCORE_PLUGIN_WEIGHTS)
        assert policy.heuristic is not Heuristic.KUBE_SCHEDULER or any(policy.plugin_weights.values())
        assert policy.ensemble is None or policy.ensemble.counts
        return
    assert errors
    assert all(text.encode("utf-8") and text.isprintable() and len(text) < 1000 for text in errors)


def test_without_a_matching_policy_the_built_in_one_is_used() -> None:
    assert selected([]) == "built-in"
    assert selected([parse_policy(manifest({"selector": {"namespaces": ["other"]}}))]) == "built-in"


def test_the_built_in_policy_is_kube_schedulers_default() -> None:
    assert BUILT_IN_POLICY.heuristic is Heuristic.KUBE_SCHEDULER
    assert BUILT_IN_POLICY.plugin_weights == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "VolumeBinding": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
    assert BUILT_IN_POLICY.selector.matches("any", {}, {}, "any")


def test_the_highest_priority_wins_and_equals_go_by_name_in_any_order() -> None:
    policies = [
        Policy("low"),
        Policy("b", priority=10),
        Policy("c", priority=10),
        Policy("negative", priority=-(2**31)),
    ]
    assert {selected(list(order)) for order in itertools.permutations(policies)} == {"b"}


def test_a_policy_that_does_not_select_the_pod_is_passed_over_whatever_its_priority() -> None:
    elsewhere = Policy("elsewhere", priority=99, selector=PodSelector(namespaces=frozenset({"other"})))
    assert selected([elsewhere, Policy("here")]) == "here"
    assert selected([Policy("here"), elsewhere], namespace="other") == "elsewhere"


def test_a_policy_can_be_for_the_pods_of_one_scheduler_name() -> None:
    packing = parse_policy(manifest({"selector": {"schedulerNames": ["packer"]}, "priority": 1}))
    assert selected([packing, Policy("any")], scheduler_name="packer") == "p"
    assert selected([packing, Policy("any")], scheduler_name="hydatis") == "any"


def test_scheduler_names_that_cannot_be_are_refused() -> None:
    assert errors_of(manifest({"selector": {"schedulerNames": ["Packer", "a", "a"]}})) == [
        "spec.selector.schedulerNames[0] is 'Packer', which is no valid name of a scheduler: use at most 253 lowercase "
        "letters, digits, '-' and '.', with a letter or digit at both ends of each part",
        "spec.selector.schedulerNames[2] repeats spec.selector.schedulerNames[1], 'a': list each scheduler once",
    ]
    assert errors_of(manifest({"selector": {"schedulerNames": []}})) == [
        "spec.selector.schedulerNames is empty: list at least one scheduler, or remove the field to select every "
        "scheduler",
    ]


def test_the_annotation_overrides_selectors_and_priorities() -> None:
    elsewhere = Policy("elsewhere", priority=-9, selector=PodSelector(namespaces=frozenset({"other"})))
    annotations = {POLICY_ANNOTATION: "elsewhere"}
    assert selected([Policy("here", priority=9), elsewhere], pod_annotations=annotations) == "elsewhere"


@pytest.mark.parametrize("named", ["absent", "", "built-in"])
def test_an_annotation_that_names_no_policy_object_changes_nothing(named: str) -> None:
    assert selected([Policy("here")], pod_annotations={POLICY_ANNOTATION: named}) == "here"


def test_the_lowest_priority_still_precedes_the_built_in_policy() -> None:
    assert selected([Policy("z", priority=BUILT_IN_POLICY.priority)]) == "z"


def test_weights_are_a_mapping_of_known_plugins_in_a_fixed_order() -> None:
    weights: Mapping[str, int] = Policy("p", plugin_weights={"NodeResourcesFit": 5}).plugin_weights
    assert list(weights) == list(SCORE_PLUGIN_WEIGHTS)
