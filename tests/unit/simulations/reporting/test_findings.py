from collections.abc import Callable
from dataclasses import replace

from hydatis.simulations.reporting.findings import findings, sorted_policies, warnings
from hydatis.simulations.reporting.study import Study
from hydatis.simulations.sweeps.job import Job


def test_policies_are_sorted_by_overload_after_the_bound(make_study: Callable[..., Study]) -> None:
    assert sorted_policies(make_study(("KubeScheduler", "Even", "Clairvoyant"))) == [
        "Clairvoyant",
        "Even",
        "KubeScheduler",
    ]


def test_the_best_policy_is_named_with_how_sure_that_is(make_study: Callable[..., Study]) -> None:
    overload = findings(make_study())[0]
    assert "best is <b>Even</b>" in overload
    assert "better than KubeScheduler" in overload
    assert "% of the gap to Clairvoyant" in overload


def test_a_reference_alone_has_nothing_to_be_compared_with(make_study: Callable[..., Study]) -> None:
    assert findings(make_study(("KubeScheduler", "Clairvoyant"))) == []


def test_few_seeds_and_missing_runs_are_warned_of(make_study: Callable[..., Study]) -> None:
    assert warnings(make_study(seeds=8)) == []
    few = make_study(seeds=2)
    assert "With fewer than 6 seeds" in warnings(few)[0]
    cut = replace(make_study(seeds=8), missing=[Job("six-full", "Even", 9)])
    assert "1 runs are missing" in warnings(cut)[0]
    assert "no policy is shown to be better than KubeScheduler" in findings(few)[0]
