"""A case is cut down to what its disagreement needs."""

from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.shrinking import shrink
from hydatis.scheduler.testing import expression, node, pod


def test_only_the_node_the_pod_and_the_field_that_matter_stay() -> None:
    case = make_cluster(3, 1).with_only(0)
    culprit = {"key": "culprit", "effect": "NoSchedule"}
    tainted = node("culprit").label("disk", "ssd").manifest()
    tainted["spec"]["taints"] = [{"key": "other", "effect": "NoSchedule"}, culprit]
    case = Cluster(1, (*case.nodes, tainted), case.pods, case.candidates)
    asked: list[Cluster] = []

    def still_disagrees(attempt: Cluster) -> bool:
        asked.append(attempt)
        return any(culprit in machine["spec"].get("taints", ()) for machine in attempt.nodes)

    small = shrink(case, still_disagrees)
    assert small.nodes == ({"metadata": {"name": "culprit"}, "spec": {"taints": [culprit]}, "status": {}},)
    assert small.pods == ()
    assert len(asked) < 2000


def test_the_few_of_many_objects_that_matter_are_found_in_a_few_attempts() -> None:
    objects = tuple({"kind": "Namespace", "metadata": {"name": str(number)}} for number in range(200))
    needed = (objects[17], objects[90], objects[91])
    asked = 0

    def still_disagrees(attempt: Cluster) -> bool:
        nonlocal asked
        asked += 1
        return all(entry in attempt.objects for entry in needed)

    case = Cluster(1, (), (), (pod("c").manifest(),), objects)
    assert shrink(case, still_disagrees).objects == needed
    assert asked < 300


def test_what_an_object_cannot_be_without_is_never_taken_away() -> None:
    bound = pod("bound").on("n").requests(cpu="1").manifest()
    term = {"matchExpressions": [expression("a", "In", "x", "y"), expression("b", "Exists")]}
    candidate = pod("c").required_node_affinity(term).container(name="second").manifest()
    case = Cluster(1, (node("n").manifest(),), (bound,), (candidate,))

    def keeps_the_pods(attempt: Cluster) -> bool:
        entries = attempt.candidates[0]["spec"].get("affinity", {})
        terms = entries.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
        expressions = [e for t in terms.get("nodeSelectorTerms", ()) for e in t.get("matchExpressions", ())]
        assert all(set(e) >= {"key", "operator"} for e in expressions)
        assert all(machine["metadata"]["name"] for machine in attempt.nodes)
        assert all(p["metadata"]["uid"] and p["spec"]["containers"] for p in (*attempt.pods, *attempt.candidates))
        assert all(p["spec"]["nodeName"] == "n" for p in attempt.pods)
        return bool(attempt.pods and attempt.nodes)

    small = shrink(case, keeps_the_pods)
    assert set(small.pods[0]["spec"]) == {"schedulerName", "containers", "nodeName"}
    assert set(small.candidates[0]["spec"]) == {"schedulerName", "containers"}


def test_a_case_that_needs_everything_stays_as_it_is() -> None:
    case = Cluster(1, (node("n").manifest(),), (), (pod("c").manifest(),))
    assert shrink(case, lambda attempt: attempt == case) == case
