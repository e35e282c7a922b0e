import pytest

from hydatis.sandbox.faults.calls import Call


@pytest.mark.parametrize(
    ("method", "path", "query", "call"),
    [
        ("GET", "/api/v1/pods", {}, Call("list", "pods")),
        ("GET", "/api/v1/pods", {"watch": "true"}, Call("watch", "pods")),
        ("GET", "/api/v1/pods", {"watch": "1", "fieldSelector": "a=b"}, Call("watch", "pods")),
        ("GET", "/api/v1/pods", {"watch": "false"}, Call("list", "pods")),
        ("GET", "/api/v1/namespaces", {}, Call("list", "namespaces")),
        ("GET", "/api/v1/namespaces/a", {}, Call("get", "namespaces", name="a")),
        ("PUT", "/api/v1/namespaces/a/finalize", {}, Call("update", "namespaces/finalize", name="a")),
        ("GET", "/api/v1/namespaces/a/pods/b", {}, Call("get", "pods", namespace="a", name="b")),
        ("POST", "/api/v1/namespaces/a/pods", {}, Call("create", "pods", namespace="a")),
        ("POST", "/api/v1/namespaces/a/pods/b/binding", {}, Call("create", "pods/binding", namespace="a", name="b")),
        ("PATCH", "/api/v1/namespaces/a/pods/b/status", {}, Call("patch", "pods/status", namespace="a", name="b")),
        ("DELETE", "/api/v1/namespaces/a/pods", {}, Call("deletecollection", "pods", namespace="a")),
        ("DELETE", "/api/v1/namespaces/a/pods/b", {}, Call("delete", "pods", namespace="a", name="b")),
        (
            "POST",
            "/apis/events.k8s.io/v1/namespaces/a/events",
            {},
            Call("create", "events", "events.k8s.io", namespace="a"),
        ),
        (
            "PATCH",
            "/apis/hydatis.io/v1alpha1/mlschedulerpolicies/p/status",
            {},
            Call("patch", "mlschedulerpolicies/status", "hydatis.io", name="p"),
        ),
        ("GET", "/apis/hydatis.io/v1alpha1", {}, Call("list", "", "hydatis.io")),
        ("GET", "/readyz", {}, Call("list", "")),
    ],
)
def test_a_request_is_read_in_the_words_of_rbac(method: str, path: str, query: dict[str, str], call: Call) -> None:
    assert Call.of(method, path, query) == call
