from hydatis.sandbox.replaying.history import History
from hydatis.sandbox.replaying.objects import real_pod
from hydatis.simulations.virtual_time.testing import Pod, scenario_of, workload_of


def test_a_real_pod_is_the_simulated_one_but_for_what_the_api_server_insists_on() -> None:
    history = History(scenario_of(4), workload_of(Pod(owner="web"), Pod(owner="batch", qos="BE")), 2)
    for pod in history.pods:
        simulated, real = history.manifest(pod), real_pod(history, pod)
        for added in ("annotations", "uid"):
            real["metadata"].pop(added, None)
            simulated["metadata"].pop(added, None)
        (container,) = real["spec"]["containers"]
        assert container.pop("image")
        assert real == simulated
        assert real["spec"]["schedulerName"] == "hydatis"


def test_writing_a_real_pod_leaves_the_simulated_one_as_it_is() -> None:
    history = History(scenario_of(4), workload_of(Pod()), 1)
    before = repr(history.manifest(0))
    real_pod(history, 0)
    assert repr(history.manifest(0)) == before
