"""The API server and the validator agree on what a good policy is.

`hydatis policy validate` and the operator judge by `hydatis.scheduler.policy`, the API server by the schema and the CEL
rules in crds/. Every row goes to both. Where they may differ, the row says why, and the validator is the stricter one.
"""

import json
from typing import Any

import pytest

from hydatis.sandbox.controlplane import ControlPlane
from hydatis.sandbox.errors import SandboxError
from hydatis.scheduler.policy import API_VERSION, KIND, SCORE_PLUGIN_WEIGHTS, PolicyInvalid, parse_policy

PREFIX = ".".join(["a" * 63] * 3 + ["a" * 61])


def expressions(*items: object) -> dict[str, Any]:
    return {"selector": {"podSelector": {"matchExpressions": list(items)}}}


def labels(entries: dict[str, Any]) -> dict[str, Any]:
    return {"selector": {"podSelector": {"matchLabels": entries}}}


def namespaces(*names: object) -> dict[str, Any]:
    return {"selector": {"namespaces": list(names)}}


def requirement(operator: str, *values: object) -> dict[str, Any]:
    return {"key": "a", "operator": operator, "values": list(values)}


def fit(**strategy: Any) -> dict[str, Any]:
    return {"pluginArgs": {"NodeResourcesFit": {"scoringStrategy": strategy}}}


def resources(*items: Any) -> dict[str, Any]:
    return fit(type="MostAllocated", resources=list(items))


def shape(*points: Any) -> dict[str, Any]:
    return fit(type="RequestedToCapacityRatio", requestedToCapacityRatio={"shape": list(points)})


def point(utilization: Any, score: Any) -> dict[str, Any]:
    return {"utilization": utilization, "score": score}


def balanced(*items: Any) -> dict[str, Any]:
    return {"pluginArgs": {"NodeResourcesBalancedAllocation": {"resources": list(items)}}}


def added(*terms: object, preferred: list[object] | None = None) -> dict[str, Any]:
    affinity: dict[str, Any] = {}
    if terms:
        affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": list(terms)}
    if preferred is not None:
        affinity["preferredDuringSchedulingIgnoredDuringExecution"] = preferred
    return {"pluginArgs": {"NodeAffinity": {"addedAffinity": affinity}}}


def term(*items: object, names: list[object] | None = None) -> dict[str, Any]:
    return {"matchExpressions": list(items)} | ({} if names is None else {"matchFields": names})


def on_node(*names: str, operator: str = "In", key: str = "metadata.name") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(names)}


def spread(*constraints: object, kind: str | None = "List") -> dict[str, Any]:
    fields = {} if kind is None else {"defaultingType": kind}
    return {"pluginArgs": {"PodTopologySpread": {**fields, "defaultConstraints": list(constraints)}}}


def constraint(**fields: object) -> dict[str, Any]:
    return {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", **fields}


def ensemble(mode: Any = "Auto", **parts: Any) -> dict[str, Any]:
    return {"mode": mode, "ensemble": parts}


def part(weight: Any = 1, model: Any = "m") -> dict[str, Any]:
    return {"model": model, "weight": weight}


GOOD: dict[str, Any] = {
    "an empty spec": {},
    "every field": {
        "selector": {"namespaces": ["a", "b"], "podSelector": {"matchLabels": {"a": "b"}}},
        "priority": -1,
        "pluginWeights": {"NodeAffinity": 100, "TaintToleration": 0},
        "fallback": {"heuristic": "LeastAllocated"},
    },
    "the smallest priority": {"priority": -(2**31)},
    "the largest priority": {"priority": 2**31 - 1},
    "a priority without a fraction": {"priority": 3.0},
    "a null field": {"priority": None, "selector": {"namespaces": None}, "fallback": None},
    "an empty map of weights": {"pluginWeights": {}},
    "all weights zero, not used": {
        "pluginWeights": dict.fromkeys(SCORE_PLUGIN_WEIGHTS, 0),
        "fallback": {"heuristic": "MostAllocated"},
    },
    "all weights given zero, one by default": {"pluginWeights": dict.fromkeys(list(SCORE_PLUGIN_WEIGHTS)[1:], 0)},
    "a longest namespace": namespaces("a" * 63),
    "the most namespaces": namespaces(*(f"n{number}" for number in range(256))),
    "scheduler names": {"selector": {"schedulerNames": ["hydatis", "default-scheduler", "a.b"]}},
    "an empty namespace selector": {"selector": {"namespaceSelector": {}}},
    "the most labels": labels({f"k{number}": "v" for number in range(64)}),
    "an empty label value": labels({"a": ""}),
    "a longest label": labels({PREFIX + "/" + "b" * 63: "c" * 63}),
    "a label with every character": labels({"a-b.c/X_y.z-1": "X_y.z-1"}),
    "In": expressions(requirement("In", "1", "2")),
    "NotIn": expressions(requirement("NotIn", "")),
    "Exists with an empty list": expressions(requirement("Exists")),
    "DoesNotExist without values": expressions({"key": "a", "operator": "DoesNotExist"}),
    "values twice": expressions(requirement("In", "1", "1")),
    "the most expressions": expressions(*[requirement("Exists")] * 64),
    "no arguments": {"pluginArgs": {}},
    "added affinity": added(
        term(requirement("In", "1"), requirement("Gt", "5"), requirement("DoesNotExist")),
        term(names=[on_node("n1.example.com"), on_node("n2", operator="NotIn")]),
        preferred=[{"weight": 100, "preference": term(requirement("Exists"))}],
    ),
    "added affinity under another heuristic": {
        **added(term(requirement("Lt", "9" * 18))),
        "fallback": {"heuristic": "MostAllocated"},
    },
    "an empty list of preferences": added(preferred=[]),
    "default constraints": spread(
        constraint(minDomains=3, nodeAffinityPolicy="Ignore", nodeTaintsPolicy="Honor"),
        constraint(whenUnsatisfiable="ScheduleAnyway"),
        constraint(topologyKey="example.com/rack", maxSkew=2**31 - 1),
    ),
    "no default constraints": spread(),
    "the system's constraints": {"pluginArgs": {"PodTopologySpread": {"defaultingType": "System"}}},
    "the system's constraints and an empty list": spread(kind="System"),
    "plugins without arguments": {"pluginArgs": {"NodeResourcesFit": {}, "NodeResourcesBalancedAllocation": None}},
    "a strategy of only its type": fit(type="LeastAllocated"),
    "resources of every kind": resources(
        {"name": "cpu", "weight": 100},
        {"name": "memory"},
        {"name": "ephemeral-storage", "weight": None},
        {"name": "hugepages-2Mi", "weight": 1},
        {"name": "attachable-volumes-csi-a.b", "weight": 3.0},
        {"name": PREFIX + "/" + "b" * 63},
    ),
    "the most resources": resources(*({"name": f"a/r{number}"} for number in range(64))),
    "a shape that rises and falls": shape(point(0, 10), point(50, 0), point(100, 10)),
    "a shape of one point": shape(point(50, 5)),
    "the longest shape": shape(*(point(percent, percent % 11) for percent in range(101))),
    "resources and a shape": fit(
        type="RequestedToCapacityRatio",
        resources=[{"name": "example.com/gpu", "weight": 5}],
        requestedToCapacityRatio={"shape": [point(0, 0), point(100, 10)]},
    ),
    "every part of an ensemble": ensemble(
        "Ensemble",
        expectedOverload={"weight": 100},
        load=part(50, "load.v2"),
        placement=part(0, "p" * 63),
        anomaly=part(3.0),
    ),
    "an ensemble of the closed form alone": ensemble("Shadow", expectedOverload={"weight": 1}),
    "an ensemble that is switched off": ensemble("Fallback", load=part()),
    "no ensemble in Auto": {"mode": "Auto", "ensemble": None},
    "no ensemble in Fallback": {"mode": "Fallback"},
    "a paused policy": {"mode": "Paused"},
    "balanced resources": balanced({"name": "cpu"}, {"name": "example.com/gpu", "weight": 1}),
}

BAD: dict[str, Any] = {
    "no spec": None,
    "a spec of text": "x",
    "a list of specs": [],
    "an unknown field": {"modes": "Auto"},
    "an unknown mode": {"mode": "Learned"},
    "a mode in lower case": {"mode": "auto"},
    "a mode that is a number": {"mode": 1},
    "Ensemble without an ensemble": {"mode": "Ensemble"},
    "Shadow without an ensemble": {"mode": "Shadow"},
    "an empty ensemble": ensemble(),
    "an ensemble of text": {"ensemble": "all"},
    "an ensemble whose weights are 0": ensemble(expectedOverload={"weight": 0}, load=part(0)),
    "an unknown part": ensemble(luck=part()),
    "a part without a weight": ensemble(load={"model": "m"}),
    "a part without a model": ensemble(load={"weight": 1}),
    "the closed form without a weight": ensemble(expectedOverload={}),
    "the closed form with a model": ensemble(expectedOverload=part()),
    "a part of weight 101": ensemble(anomaly=part(101)),
    "a part of weight -1": ensemble(anomaly=part(-1)),
    "a part of weight 0.5": ensemble(anomaly=part(0.5)),
    "a model in upper case": ensemble(placement=part(1, "Model")),
    "an empty model name": ensemble(placement=part(1, "")),
    "a model name that is too long": ensemble(placement=part(1, "a." * 126 + "aa")),
    "a model that is a number": ensemble(placement=part(1, 7)),
    "no scheduler name": {"selector": {"schedulerNames": []}},
    "a scheduler name twice": {"selector": {"schedulerNames": ["a", "a"]}},
    "a scheduler name with a capital": {"selector": {"schedulerNames": ["Hydatis"]}},
    "too many scheduler names": {"selector": {"schedulerNames": [f"s{number}" for number in range(17)]}},
    "an unknown field of the selector": {"selector": {"pods": {}}},
    "an unknown field of a label selector": {"selector": {"podSelector": {"matchlabels": {}}}},
    "an unknown field of an expression": expressions({**requirement("Exists"), "value": "1"}),
    "an unknown field of fallback": {"fallback": {"when": "always"}},
    "a priority of text": {"priority": "1"},
    "a priority that is true": {"priority": True},
    "a priority with a fraction": {"priority": 1.5},
    "a priority above int32": {"priority": 2**31},
    "a priority below int32": {"priority": -(2**31) - 1},
    "an unknown plugin": {"pluginWeights": {"GpuAffinity": 1}},
    "a negative weight": {"pluginWeights": {"NodeAffinity": -1}},
    "a weight above 100": {"pluginWeights": {"NodeAffinity": 101}},
    "a weight of text": {"pluginWeights": {"NodeAffinity": "5"}},
    "weights in a list": {"pluginWeights": ["NodeAffinity"]},
    "all weights zero": {"pluginWeights": dict.fromkeys(SCORE_PLUGIN_WEIGHTS, 0)},
    "an unknown heuristic": {"fallback": {"heuristic": "Random"}},
    "a heuristic in lower case": {"fallback": {"heuristic": "kubescheduler"}},
    "an empty heuristic": {"fallback": {"heuristic": ""}},
    "a fallback of text": {"fallback": "LeastAllocated"},
    "no namespaces": namespaces(),
    "a namespace twice": namespaces("a", "b", "a"),
    "a namespace in upper case": namespaces("A"),
    "a namespace with a dot": namespaces("a.b"),
    "an empty namespace": namespaces(""),
    "a namespace with a line break": namespaces("a\n"),
    "a namespace that is too long": namespaces("a" * 64),
    "a namespace that is a number": namespaces(1),
    "a namespace that is null": namespaces(None),
    "too many namespaces": namespaces(*(f"n{number}" for number in range(257))),
    "namespaces and a selector": {"selector": {"namespaces": ["a"], "namespaceSelector": {}}},
    "a selector that is a list": {"selector": []},
    "too many labels": labels({f"k{number}": "v" for number in range(65)}),
    "a label value that is a number": labels({"a": 1}),
    "a label value with a space": labels({"a": "b c"}),
    "a label value that is too long": labels({"a": "b" * 64}),
    "a label value that ends in a dash": labels({"a": "b-"}),
    "an empty label key": labels({"": "a"}),
    "a label key with a space": labels({"a b": "c"}),
    "a label key that is too long": labels({"a" * 64: "b"}),
    "a label key with an empty prefix": labels({"/a": "b"}),
    "a label key with two slashes": labels({"a/b/c": "d"}),
    "a label prefix in upper case": labels({"A/b": "c"}),
    "a label key with a letter beyond ASCII": labels({"é": "c"}),
    "In without values": expressions({"key": "a", "operator": "In"}),
    "NotIn with an empty list": expressions(requirement("NotIn")),
    "Exists with values": expressions(requirement("Exists", "1")),
    "DoesNotExist with values": expressions(requirement("DoesNotExist", "1")),
    "an unknown operator": expressions(requirement("Gt", "1")),
    "an expression without a key": expressions({"operator": "Exists"}),
    "an expression without an operator": expressions({"key": "a"}),
    "an expression with a bad key": expressions({"key": "a b", "operator": "Exists"}),
    "an expression with a bad value": expressions(requirement("In", "a b")),
    "a value that is null": expressions(requirement("In", None)),
    "too many values": expressions(requirement("In", *(str(number) for number in range(65)))),
    "too many expressions": expressions(*[requirement("Exists")] * 65),
    "an expression that is null": expressions(None),
    "expressions in an object": {"selector": {"podSelector": {"matchExpressions": {"key": "a"}}}},
    "arguments of an unknown plugin": {"pluginArgs": {"NodeName": {}}},
    "arguments in a list": {"pluginArgs": [{"name": "NodeResourcesFit"}]},
    "an unknown argument": {"pluginArgs": {"NodeResourcesFit": {"strategy": {}}}},
    "arguments without effect": {
        "pluginArgs": {"NodeResourcesFit": {}},
        "fallback": {"heuristic": "MostAllocated"},
    },
    "added affinity without terms": added(),
    "an empty list of required terms": {
        "pluginArgs": {
            "NodeAffinity": {
                "addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
            }
        }
    },
    "a term without requirements": added({}),
    "a term with an empty list": added(term()),
    "too many terms": added(*[term(requirement("Exists"))] * 17),
    "In without values on nodes": added(term(requirement("In"))),
    "Exists with a value on nodes": added(term(requirement("Exists", "1"))),
    "Gt with two values": added(term(requirement("Gt", "1", "2"))),
    "Gt with a word": added(term(requirement("Gt", "many"))),
    "Lt with 19 digits": added(term(requirement("Lt", "1" * 19))),
    "an unknown operator on nodes": added(term(requirement("Like", "1"))),
    "a value that no label has": added(term(requirement("In", "-1"))),
    "a field that nodes are not chosen by": added(term(names=[on_node("n", key="spec.providerID")])),
    "a field with another operator": added(term(names=[on_node("n", operator="Exists")])),
    "two names in one requirement": added(term(names=[on_node("a", "b")])),
    "no name of a node": added(term(names=[on_node("Not a name")])),
    "a preference without weight": added(preferred=[{"preference": term(requirement("Exists"))}]),
    "a preference without a term": added(preferred=[{"weight": 1}]),
    "a weight of 101": added(preferred=[{"weight": 101, "preference": term(requirement("Exists"))}]),
    "constraints of the system": spread(constraint(), kind="System"),
    "constraints without a type": spread(constraint(), kind=None),
    "an unknown type of defaults": spread(kind="None"),
    "a constraint twice": spread(constraint(), constraint(maxSkew=2)),
    "a constraint with a selector": spread(constraint(labelSelector={})),
    "a constraint without a skew": spread({"topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}),
    "a constraint without a key": spread({"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}),
    "a constraint without an action": spread({"maxSkew": 1, "topologyKey": "zone"}),
    "a skew of 0": spread(constraint(maxSkew=0)),
    "a topology key that is none": spread(constraint(topologyKey="a b")),
    "an unknown action": spread(constraint(whenUnsatisfiable="Sometimes")),
    "minDomains of a preference": spread(constraint(whenUnsatisfiable="ScheduleAnyway", minDomains=2)),
    "minDomains of 0": spread(constraint(minDomains=0)),
    "an unknown policy for nodes": spread(constraint(nodeTaintsPolicy="Maybe")),
    "too many constraints": spread(*(constraint(topologyKey=f"k{number}") for number in range(17))),
    "a strategy without a type": fit(resources=[{"name": "cpu"}]),
    "an unknown strategy": fit(type="BestFit"),
    "a strategy of text": {"pluginArgs": {"NodeResourcesFit": {"scoringStrategy": "MostAllocated"}}},
    "no resources": resources(),
    "a resource twice": resources({"name": "cpu"}, {"name": "memory"}, {"name": "cpu", "weight": 2}),
    "a resource without a name": resources({"weight": 1}),
    "a resource that is text": resources("cpu"),
    "a resource that is null": resources(None),
    "an empty resource name": resources({"name": ""}),
    "a resource that counts for nothing": resources({"name": "gpu"}),
    "pods": resources({"name": "pods"}),
    "a resource in upper case": resources({"name": "CPU"}),
    "a resource with two slashes": resources({"name": "a/b/c"}),
    "a resource name that ends in a dash": resources({"name": "hugepages-"}),
    "a resource name that is a number": resources({"name": 1}),
    "a resource of weight 0": resources({"name": "cpu", "weight": 0}),
    "a resource of weight 101": resources({"name": "cpu", "weight": 101}),
    "a resource of a weight of text": resources({"name": "cpu", "weight": "1"}),
    "an unknown field of a resource": resources({"name": "cpu", "value": 1}),
    "too many resources": resources(*({"name": f"a/r{number}"} for number in range(65))),
    "a ratio without its function": fit(type="RequestedToCapacityRatio"),
    "a ratio without a shape": fit(type="RequestedToCapacityRatio", requestedToCapacityRatio={}),
    "a shape without points": shape(),
    "a shape for another strategy": fit(type="LeastAllocated", requestedToCapacityRatio={"shape": [point(0, 0)]}),
    "a point without a score": shape({"utilization": 0}),
    "a point without a utilization": shape({"score": 0}),
    "a utilization above 100": shape(point(101, 0)),
    "a negative utilization": shape(point(-1, 0)),
    "a score above 10": shape(point(0, 11)),
    "a negative score": shape(point(0, -1)),
    "a score with a fraction": shape(point(0, 0.5)),
    "points that fall back": shape(point(50, 0), point(20, 10)),
    "a utilization twice": shape(point(50, 0), point(50, 10)),
    "a shape that is too long": shape(*(point(min(percent, 100), 0) for percent in range(102))),
    "balanced resources with a weight": balanced({"name": "cpu", "weight": 2}),
    "no balanced resources": balanced(),
    "a balanced resource twice": balanced({"name": "cpu"}, {"name": "cpu"}),
}

STRICTER: dict[str, tuple[Any, str]] = {
    "a weight that is null": (
        {"pluginWeights": {"NodeAffinity": None}},
        "the API server drops null entries without a word; who wrote one meant something by it",
    ),
    "a label that is null": (
        labels({"a": None}),
        "the API server drops null entries without a word, and the selector would select more than it says",
    ),
    "a label prefix that is too long": (
        labels({PREFIX + "a/b": "c"}),
        "one regular expression cannot bound both the parts of a prefix and its whole length",
    ),
}


def manifest(spec: object, name: str = "table") -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def server_refuses(control_plane: ControlPlane, candidate: dict[str, Any], *arguments: str) -> str | None:
    """What the API server says against the manifest; None when it accepts it."""
    try:
        control_plane.kubectl("create", "--dry-run=server", "-f", "-", *arguments, stdin=json.dumps(candidate))
    except SandboxError as error:
        if "invalid" not in str(error) and "strict decoding" not in str(error):
            raise
        return str(error)
    return None


def validator_refuses(candidate: dict[str, Any]) -> str | None:
    """What the validator says against the manifest; None when it accepts it."""
    try:
        parse_policy(candidate)
    except PolicyInvalid as invalid:
        return str(invalid)
    return None


@pytest.mark.parametrize("name", GOOD)
def test_both_accept_a_good_policy(server: ControlPlane, name: str) -> None:
    candidate = manifest(GOOD[name])
    assert (server_refuses(server, candidate), validator_refuses(candidate)) == (None, None)


@pytest.mark.parametrize("name", BAD)
def test_both_refuse_a_bad_policy(server: ControlPlane, name: str) -> None:
    candidate = manifest(BAD[name])
    assert server_refuses(server, candidate) is not None, "the API server accepts it"
    assert validator_refuses(candidate) is not None, "the validator accepts it"


@pytest.mark.parametrize("name", STRICTER)
def test_only_the_validator_refuses_what_the_schema_cannot_say(server: ControlPlane, name: str) -> None:
    spec, reason = STRICTER[name]
    assert server_refuses(server, manifest(spec)) is None, f"both refuse it now, so this no longer holds: {reason}"
    assert validator_refuses(manifest(spec)) is not None


@pytest.mark.parametrize("name", ["built-in", "Upper", "a_b"])
def test_both_refuse_a_bad_name(server: ControlPlane, name: str) -> None:
    assert server_refuses(server, manifest({}, name)) is not None
    assert validator_refuses(manifest({}, name)) is not None


def test_the_api_server_drops_unknown_fields_where_strict_checks_are_off(server: ControlPlane) -> None:
    candidate = manifest({"modes": "Auto"})
    assert server_refuses(server, candidate, "--validate=false") is None
    assert validator_refuses(candidate) is not None


def test_the_defaults_of_the_schema_are_the_defaults_of_the_validator(server: ControlPlane) -> None:
    text = server.kubectl("create", "--dry-run=server", "-f", "-", "-o", "json", stdin=json.dumps(manifest({})))
    defaulted = json.loads(text)
    assert defaulted["spec"] == {
        "selector": {},
        "priority": 0,
        "mode": "Auto",
        "pluginWeights": dict(SCORE_PLUGIN_WEIGHTS),
        "fallback": {"heuristic": "KubeScheduler"},
    }
    assert parse_policy(defaulted | {"metadata": {"name": "table"}}) == parse_policy(manifest({}))


def test_a_message_names_the_field_and_says_what_to_do(server: ControlPlane) -> None:
    for spec, expected in (
        (BAD["all weights zero"], "spec.pluginWeights: Invalid value: all plugin weights are 0"),
        (BAD["an unknown plugin"], "spec.pluginWeights: Invalid value: the score plugins are TaintToleration"),
        (BAD["namespaces and a selector"], "spec.selector: Invalid value: give either namespaces or namespaceSelector"),
        (BAD["arguments without effect"], "spec.pluginArgs: Invalid value: the arguments of NodeResourcesFit"),
        (BAD["a ratio without its function"], "requestedToCapacityRatio: Invalid value: the type Requested"),
        (BAD["points that fall back"], "shape: Invalid value: list the points by rising utilization"),
        (
            BAD["Shadow without an ensemble"],
            "spec.mode: Invalid value: the modes Ensemble and Shadow need",
        ),
        (BAD["an empty ensemble"], "spec.ensemble: Invalid value: no part has a weight above 0"),
        (BAD["In without values"], "matchExpressions[0].values: Invalid value: the operators In and NotIn need"),
    ):
        assert expected in (server_refuses(server, manifest(spec)) or "accepted")


def test_the_status_keeps_conditions_and_the_last_good_spec_whatever_it_holds(server: ControlPlane) -> None:
    status = {
        "observedGeneration": 2,
        "mode": "Fallback",
        "inForce": {"generation": 1, "spec": {"priority": 1, "fieldOfAnotherVersion": {"deep": [1]}}},
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "LastGoodInForce",
                "message": "spec.priority is wrong",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
                "observedGeneration": 2,
            }
        ],
    }
    server.kubectl("create", "-f", "-", stdin=json.dumps(manifest({"priority": 5}, "status-kept")))
    try:
        patch = json.dumps({"status": status})
        server.kubectl("patch", "mlsp", "status-kept", "--subresource=status", "--type=merge", "-p", patch)
        stored = json.loads(server.kubectl("get", "mlsp", "status-kept", "-o", "json"))
        assert stored["status"] == status
        assert stored["metadata"]["generation"] == 1, "a status is no change of the spec"
        columns = server.kubectl("get", "mlsp", "status-kept").splitlines()
        assert columns[0].split() == ["NAME", "READY", "MODE", "HEURISTIC", "PRIORITY", "AGE"]
        assert columns[1].split()[:5] == ["status-kept", "False", "Fallback", "KubeScheduler", "5"]
    finally:
        server.kubectl("delete", "mlsp", "status-kept")
