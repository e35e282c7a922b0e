"""Label selectors mean what they mean in Kubernetes, and say what is wrong with the ones that are not valid."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydatis.scheduler.field_errors import FieldsInvalid
from hydatis.scheduler.label_selectors import EVERYTHING, LabelSelector, is_dns_label, is_label_key, is_label_value


def errors_of(manifest: object, **arguments: Any) -> list[str]:
    with pytest.raises(FieldsInvalid) as raised:
        LabelSelector.parse(manifest, "s", **arguments)
    return [str(error) for error in raised.value.errors]


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("selector", "labels", "selected"),
    [
        pytest.param(None, {}, False, id="an absent selector selects nothing, not even an object without labels"),
        pytest.param(None, {"a": "1"}, False, id="an absent selector selects no labelled object"),
        pytest.param({}, {}, True, id="the empty selector selects an object without labels"),
        pytest.param({}, {"a": "1"}, True, id="the empty selector selects every object"),
        pytest.param({"matchLabels": {}, "matchExpressions": []}, {}, True, id="empty parts are an empty selector"),
        pytest.param({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True, id="matchLabels ignores other labels"),
        pytest.param({"matchLabels": {"a": "1"}}, {"a": "2"}, False, id="matchLabels compares the value"),
        pytest.param({"matchLabels": {"a": ""}}, {"a": ""}, True, id="matchLabels matches an empty value"),
        pytest.param({"matchLabels": {"a": ""}}, {}, False, id="an empty value is not an absent label"),
        pytest.param({"matchLabels": {"a": "1", "b": "2"}}, {"a": "1"}, False, id="all of matchLabels must hold"),
        pytest.param(expression("a", "In", "1", "2"), {"a": "2"}, True, id="In takes any of its values"),
        pytest.param(expression("a", "In", "1", "2"), {"a": "3"}, False, id="In refuses another value"),
        pytest.param(expression("a", "In", "1"), {}, False, id="In needs the label"),
        pytest.param(expression("a", "NotIn", "1"), {"a": "2"}, True, id="NotIn takes another value"),
        pytest.param(expression("a", "NotIn", "1"), {"a": "1"}, False, id="NotIn refuses its values"),
        pytest.param(expression("a", "NotIn", "1"), {}, True, id="NotIn holds without the label"),
        pytest.param(expression("a", "Exists"), {"a": ""}, True, id="Exists asks for no value"),
        pytest.param(expression("a", "Exists"), {"b": "1"}, False, id="Exists needs the label"),
        pytest.param(expression("a", "DoesNotExist"), {"b": "1"}, True, id="DoesNotExist holds without the label"),
        pytest.param(expression("a", "DoesNotExist"), {"a": ""}, False, id="DoesNotExist refuses even an empty value"),
        pytest.param(
            {"matchLabels": {"a": "1"}, **expression("b", "Exists")},
            {"a": "1"},
            False,
            id="labels and expressions add up",
        ),
    ],
)
def test_a_selector_selects_as_kubernetes_does(selector: object, labels: dict[str, str], selected: bool) -> None:
    assert LabelSelector.parse(selector, "s").matches(labels) is selected


# The rows follow the tables of apimachinery's pkg/util/validation: what it accepts, is accepted here.
@pytest.mark.parametrize(
    ("key", "valid"),
    [
        ("simple", True),
        ("now-with-dashes", True),
        ("1-starts-with-num", True),
        ("1234", True),
        ("simple/simple", True),
        ("now-with-dashes/simple", True),
        ("now.with.dots/simple", True),
        ("1-num.2-num/3-num", True),
        ("1.2.3.4/5678", True),
        ("Uppercase_Is_OK_123", True),
        ("example.com/Uppercase_Is_OK_123", True),
        ("a" * 63, True),
        ("a" * 253 + "/" + "b" * 63, True),  # only the whole prefix is bounded, not each of its parts
        (".".join(["a" * 63] * 3 + ["a" * 61]) + "/" + "b" * 63, True),
        (".".join(["a" * 63] * 3 + ["a" * 62]) + "/" + "b" * 63, False),
        ("nospecialchars%^=@", False),
        ("cantendwithadash-", False),
        ("-cantstartwithadash-", False),
        ("only/one/slash", False),
        ("Example.com/abc", False),
        ("example_com/abc", False),
        ("example.com/", False),
        ("/simple", False),
        ("a" * 64, False),
        ("", False),
        ("with\nnewline", False),
        ("trailing\n", False),
        ("é", False),
    ],
)
def test_label_keys_follow_apimachinery(key: str, valid: bool) -> None:
    assert is_label_key(key) is valid


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("", True),
        ("simple", True),
        ("A.b_c-1", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("-a", False),
        ("a-", False),
        ("a b", False),
        ("a/b", False),
        ("a\n", False),
        ("٣", False),
    ],
)
def test_label_values_follow_apimachinery(value: str, valid: bool) -> None:
    assert is_label_value(value) is valid


@pytest.mark.parametrize(
    ("name", "valid"), [("a", True), ("a" * 63, True), ("a" * 64, False), ("a.b", False), ("A", False)]
)
def test_namespace_names_are_dns_labels(name: str, valid: bool) -> None:
    assert is_dns_label(name) is valid


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param([], "s must be an object, not a list: write it as `name: value` lines", id="a list"),
        pytest.param(
            {"matchlabels": {}},
            "s has the unknown field 'matchlabels': remove or correct the name; "
            "the fields here are matchLabels, matchExpressions",
            id="an unknown field",
        ),
        pytest.param(
            {"matchLabels": {"a": 1}},
            "s.matchLabels[a] must be text, not the number 1: put the value in quotes",
            id="a number",
        ),
        pytest.param(
            expression("a", "In"),
            "s.matchExpressions[0].values must not be empty with operator In: list at least one value",
            id="In without values",
        ),
        pytest.param(
            expression("a", "Exists", "1"),
            "s.matchExpressions[0].values must be empty with operator Exists: remove the values, or use In or NotIn",
            id="Exists with values",
        ),
        pytest.param(
            expression("a", "Gt", "1"),
            "s.matchExpressions[0].operator is the text 'Gt', which is no operator: "
            "use one of In, NotIn, Exists, DoesNotExist",
            id="an operator of node affinity",
        ),
        pytest.param(
            {"matchExpressions": [{"operator": "Exists"}]},
            "s.matchExpressions[0].key is missing: name the label",
            id="no key",
        ),
        pytest.param(
            {"matchExpressions": [{"key": "a"}]},
            "s.matchExpressions[0].operator is missing: use one of In, NotIn, Exists, DoesNotExist",
            id="no operator",
        ),
        pytest.param(
            {"matchExpressions": [None]},
            "s.matchExpressions[0] must be an object, not null: write its key and operator, or remove the item",
            id="a null item",
        ),
    ],
)
def test_an_error_names_the_field_and_the_remedy(manifest: object, expected: str) -> None:
    assert errors_of(manifest) == [expected]


def test_every_error_is_told_at_once() -> None:
    manifest = {
        "matchLabels": {"-bad": "-bad"},
        "matchExpressions": [
            {"key": "a b", "operator": "In", "values": ["x y", "ok", 3]},
            {"key": "a", "operator": "in"},
        ],
    }
    paths = [error.split(" ", 1)[0] for error in errors_of(manifest)]
    assert paths == [
        "s.matchLabels[-bad]",
        "s.matchLabels[-bad]",
        "s.matchExpressions[0].key",
        "s.matchExpressions[0].values[0]",
        "s.matchExpressions[0].values[2]",
        "s.matchExpressions[1].operator",
    ]


def test_lists_and_maps_are_bounded_only_where_the_caller_says_so() -> None:
    selector = {"matchLabels": {f"k{number}": "v" for number in range(3)}, **expression("a", "In", "1", "2", "3")}
    assert LabelSelector.parse(selector, "s").matches({"k0": "v", "k1": "v", "k2": "v", "a": "3"})
    assert [error.split(":")[0] for error in errors_of(selector, max_items=2)] == [
        "s.matchLabels has 3 entries, more than the 2 allowed",
        "s.matchExpressions[0].values has 3 items, more than the 2 allowed",
    ]


def test_selectors_that_say_the_same_are_equal_and_hash_alike() -> None:
    one = LabelSelector.parse({"matchLabels": {"a": "1", "b": "2"}}, "s")
    other = LabelSelector.parse({"matchLabels": {"b": "2"}, **expression("a", "In", "1", "1")}, "s")
    assert one == other
    assert hash(one) == hash(other)
    assert LabelSelector.parse({}, "s") == EVERYTHING != LabelSelector.parse(None, "s")


_labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["", "1", "2"]))


@given(_labels, st.sampled_from("abc"), st.lists(st.sampled_from(["", "1", "2"]), min_size=1))
def test_not_in_is_always_the_opposite_of_in(labels: dict[str, str], key: str, values: list[str]) -> None:
    includes = LabelSelector.parse(expression(key, "In", *values), "s")
    excludes = LabelSelector.parse(expression(key, "NotIn", *values), "s")
    assert includes.matches(labels) is not excludes.matches(labels)
