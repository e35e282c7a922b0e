"""A minute of Kubernetes' own scheduling tests; `make e2e` runs all of them."""

import sys
from pathlib import Path

from hydatis.sandbox.upstream.plan import Naming, Plan, Scheduler
from hydatis.sandbox.upstream.running import run
from hydatis.sandbox.upstream.suite import Result, chosen, provide_suite, scheduler_tests

FAST = "|".join(
    (
        "NodeSelector is respected",
        "validates resource limits",
        "taints-tolerations is respected if not matching",
        "non-empty schedulingGates",
        "MaxSkew=1 are evenly distributed",
    )
)


def tell(message: str) -> None:
    # A first build takes minutes, so this goes past pytest's capturing.
    print(message, file=sys.__stderr__, flush=True)


def test_kubernetes_own_tests_pass_with_hydatis(tmp_path: Path) -> None:
    told: list[Result] = []
    binary = provide_suite(tell)
    tests = chosen(scheduler_tests(binary), FAST)
    plan = Plan(Scheduler.HYDATIS, Naming.INJECTED, nodes=4, seed=1, rigs=1)
    results = run(plan, binary, tests, keep=tmp_path, progress=lambda message: None, told=told.append)
    assert [(result.test, result.message) for result in results if not result.passed] == []
    assert len(results) == 6
    assert len(told) == 12
