"""Which plugins run under a policy, with which weights and arguments."""

from typing import Any

from hydatis.scheduler.plugin_args import DEFAULT_RESOURCES, ResourceSpec, ScoringStrategyType
from hydatis.scheduler.plugins.node_resources_balanced_allocation import NodeResourcesBalancedAllocation
from hydatis.scheduler.plugins.node_resources_fit import NodeResourcesFit
from hydatis.scheduler.policy import API_VERSION, BUILT_IN_POLICY, KIND, Policy, parse_policy
from hydatis.scheduler.profile import Profile


def policy(**spec: Any) -> Policy:
    return parse_policy({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "p"}, "spec": spec})


def scoring_under(chosen: Policy) -> tuple[NodeResourcesFit, NodeResourcesBalancedAllocation | None]:
    plugins = [entry.plugin for entry in Profile().under(chosen).scores]
    (fit,) = (plugin for plugin in plugins if isinstance(plugin, NodeResourcesFit))
    balanced = [plugin for plugin in plugins if isinstance(plugin, NodeResourcesBalancedAllocation)]
    return fit, balanced[0] if balanced else None


def test_without_arguments_resources_are_scored_as_kube_scheduler_does() -> None:
    fit, balanced = scoring_under(BUILT_IN_POLICY)
    assert (fit.strategy.type, fit.strategy.resources) == (ScoringStrategyType.LEAST_ALLOCATED, DEFAULT_RESOURCES)
    assert balanced is not None
    assert balanced.resources == DEFAULT_RESOURCES


def test_a_policys_arguments_reach_its_plugins_and_no_other_policys() -> None:
    args = {
        "NodeResourcesFit": {"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "a/gpu"}]}},
        "NodeResourcesBalancedAllocation": {"resources": [{"name": "memory"}]},
    }
    fit, balanced = scoring_under(policy(pluginArgs=args))
    assert (fit.strategy.type, fit.strategy.resources) == (ScoringStrategyType.MOST_ALLOCATED, (ResourceSpec("a/gpu"),))
    assert balanced is not None
    assert balanced.resources == (ResourceSpec("memory"),)
    assert scoring_under(BUILT_IN_POLICY)[0].strategy.type is ScoringStrategyType.LEAST_ALLOCATED


def test_the_simple_heuristics_score_by_what_is_left_alone() -> None:
    for heuristic, kind in (
        ("LeastAllocated", ScoringStrategyType.LEAST_ALLOCATED),
        ("MostAllocated", ScoringStrategyType.MOST_ALLOCATED),
    ):
        chosen = policy(fallback={"heuristic": heuristic})
        fit, balanced = scoring_under(chosen)
        assert (fit.strategy.type, balanced) == (kind, None)
        assert Profile().under(chosen).neighbour_scores == ()


def test_a_plugin_of_weight_0_does_not_score() -> None:
    plugins = Profile().under(policy(pluginWeights={"NodeResourcesBalancedAllocation": 0, "InterPodAffinity": 0}))
    assert "NodeResourcesBalancedAllocation" not in {entry.plugin.name for entry in plugins.scores}
    assert {entry.plugin.name for entry in plugins.neighbour_scores} == {"PodTopologySpread"}
