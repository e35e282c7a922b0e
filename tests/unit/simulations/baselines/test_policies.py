"""What holds for every policy, whatever it looks at."""

import numpy as np
import pytest

from hydatis.scheduler import events
from hydatis.scheduler.instructions import Instruction, ReportUnschedulable
from hydatis.scheduler.scheduler import Scheduler
from hydatis.scheduler.testing import node, pod
from hydatis.simulations.baselines.policies import POLICIES, Surroundings
from hydatis.simulations.baselines.typical_pods import TypicalPods

_ONE_CORE = (1000, 0, 0, ())
_TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("spec", [{"taints": [_TAINT]}, {"unschedulable": True}], ids=["tainted", "cordoned"])
def test_no_policy_uses_a_node_that_is_closed_to_the_pod(policy: str, spec: dict[str, object]) -> None:
    around = Surroundings(TypicalPods.of_requests([_ONE_CORE]), np.random.default_rng(1))
    scheduler = Scheduler(random=np.random.default_rng(1), profile=POLICIES[policy](around))
    closed = node("closed").allocatable(cpu="64", memory="256Gi").manifest()
    closed["spec"].update(spec)
    scheduler.handle(events.NodeSeen(closed), 0.0)
    scheduler.handle(events.PodSeen(pod("web").requests(cpu="1", memory="1Gi").manifest()), 0.0)
    decided: Instruction | object = scheduler.open_decision(0.0)
    assert isinstance(decided, ReportUnschedulable)
