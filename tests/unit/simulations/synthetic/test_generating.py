"""What is drawn from the shipped parameters."""

import numpy as np
import pytest

from hydatis.simulations.synthetic.arrivals import draw_arrivals
from hydatis.simulations.synthetic.fitting import kinds_of
from hydatis.simulations.synthetic.fitting_usage import autocorrelation
from hydatis.simulations.synthetic.nodes import draw_nodes
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent, draw_memory_percent

PARAMETERS = Parameters.shipped()
DAY = 86_400


def random(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_same_seed_gives_the_same_workload() -> None:
    def drawn(seed: int) -> bytes:
        generator = random(seed)
        owners = draw_owners(PARAMETERS, 40, generator)
        arrivals = draw_arrivals(PARAMETERS, owners, 2, generator)
        cpu = draw_cpu_percent(owners, np.arange(0, 3600, 60.0), generator)
        nodes = draw_nodes(PARAMETERS, 20, generator)
        return b"".join([arrivals.deleted_seconds.tobytes(), cpu.tobytes(), nodes.cpu_millicores.tobytes()])

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_arrivals_follow_rate_and_profile() -> None:
    owners = draw_owners(PARAMETERS, 40, random())
    pods = draw_arrivals(PARAMETERS, owners, 70, random(), per_day=1000)
    assert len(pods) / 70 == pytest.approx(1000, rel=0.1)
    assert (np.diff(pods.created_seconds) >= 0).all()
    assert pods.created_seconds[-1] < 70 * DAY
    by_hour = np.bincount((pods.created_seconds // 3600 % 24).astype(int), minlength=24)
    assert np.corrcoef(by_hour, PARAMETERS.arrival_rate.hour_profile)[0, 1] > 0.95
    counts = np.bincount((pods.created_seconds // 3600).astype(int), minlength=70 * 24)
    assert counts.var() > 2 * counts.mean(), "burstier than a Poisson process"


def test_requests_can_be_run_and_kinds_have_their_shares() -> None:
    owners = draw_owners(PARAMETERS, 150, random())
    pods = draw_arrivals(PARAMETERS, owners, 30, random())
    assert sum(owner.weight for owner in owners) == pytest.approx(1)
    assert (pods.cpu_millicores > 0).all()
    assert (pods.memory_mib > 0).all()
    assert ((pods.gpus > 0) == (pods.gpu_milli > 0)).all()
    assert (pods.gpu_milli[pods.gpus > 1] == 1000).all()
    assert pods.gpu_milli.max() <= 1000
    shares = {name: those.mean() for name, those in kinds_of(pods).items()}
    for kind in PARAMETERS.kinds:
        assert shares[kind.name] == pytest.approx(kind.share, abs=0.08), kind.name


def test_lifetimes_have_a_heavy_tail_and_are_alike_within_an_owner() -> None:
    owners = draw_owners(PARAMETERS, 150, random())
    pods = draw_arrivals(PARAMETERS, owners, 60, random())
    lifetimes = pods.lifetimes_seconds
    assert lifetimes.min() >= 1
    assert 300 < np.median(lifetimes) < 1500
    assert lifetimes.mean() > 5 * np.median(lifetimes)
    names = np.array(pods.owners)
    logs = np.log(lifetimes)
    spreads = [logs[names == owner.name].std() for owner in owners[:20]]
    assert np.mean(spreads) < logs.std()


def test_usage_has_each_owners_mean_and_remembers() -> None:
    owners = draw_owners(PARAMETERS, 200, random())
    calm = [owner for owner in owners if owner.usage.variation < 0.5 and 1 < owner.usage.mean_percent < 40]
    times = np.arange(0, 14 * DAY, 300.0)
    cpu = draw_cpu_percent(calm, times, random())
    assert cpu.shape == (len(calm), len(times))
    assert cpu.min() >= 0
    assert cpu.max() <= 100
    means = np.array([owner.usage.mean_percent for owner in calm])
    assert cpu.mean(axis=1) == pytest.approx(means, rel=0.5)
    remembering = [
        n for n, owner in enumerate(calm) if owner.usage.slow_share > 0.8 and owner.usage.slow_seconds > 7200
    ]
    forgetting = [
        n for n, owner in enumerate(calm) if owner.usage.slow_share < 0.2 and owner.usage.daily_amplitude < 0.1
    ]
    assert np.median([autocorrelation(cpu[n], 6) for n in remembering]) > 0.5
    assert np.median([autocorrelation(cpu[n], 6) for n in forgetting]) < 0.3


def test_memory_stays_within_the_request() -> None:
    owners = draw_owners(PARAMETERS, 100, random())
    memory = draw_memory_percent(owners, random())
    assert memory.min() >= 0
    assert memory.max() <= 100


@pytest.mark.parametrize("count", [1, 7, 200])
def test_nodes_have_the_shapes_in_their_shares(count: int) -> None:
    nodes = draw_nodes(PARAMETERS, count, random())
    assert len(nodes) == len(set(nodes.names)) == count
    assert {model == "" for model, gpus in zip(nodes.gpu_models, nodes.gpus, strict=True) if gpus} <= {False}
    most = PARAMETERS.nodes[0]
    alike = (nodes.cpu_millicores == most.cpu_millicores) & (nodes.gpus == most.gpus)
    if count == 200:
        assert alike.mean() == pytest.approx(most.share, abs=0.03)
