"""What is learned about owners, and how much of it counts."""

import numpy as np
import pytest

from hydatis.scheduler.owner import Owner
from hydatis.scheduler.owner_history import UNKNOWN, FirstGuess, HistorySettings, OwnerHistory
from hydatis.scheduler.usage_histogram import BUCKETS, RATIO, bucket_of, quantile

NAN = float("nan")
NOBODY = Owner("default", "Deployment", "nobody")


def owner(number: int) -> Owner:
    return Owner("default", "Deployment", f"d{number}")


def learn(
    history: OwnerHistory, number: int, *cpu: float, memory: float = NAN, at: float = 0.0, new: float = 1.0
) -> None:
    count = len(cpu)
    shares = np.array([cpu, [memory] * count])
    history.learn(np.full(count, number, dtype=np.intp), shares, np.full(count, at), np.full(count, new))


def test_without_any_sample_the_first_guess_holds() -> None:
    history = OwnerHistory(HistorySettings(cpu=FirstGuess(0.4, 0.2, 0.1), memory=FirstGuess(0.8, 0.1, 0.2)))
    use = history.use_of(NOBODY)
    assert use == pytest.approx((0.4, 0.2**2 + 0.1**2, 0.8, 0.1**2 + 0.2**2))
    assert history.hourly_of(NOBODY).tolist() == [1.0] * 24
    assert np.isnan(history.p95_of(NOBODY)).all()


def test_an_owner_is_shrunk_towards_the_population_by_its_credibility() -> None:
    settings = HistorySettings(prior_weight=1e-12)
    history = OwnerHistory(settings)
    numbers = [history.hold(owner(k)) for k in range(3)]
    learn(history, numbers[0], 0.1, 0.3)
    learn(history, numbers[1], 0.7, 0.9)
    learn(history, numbers[2], 0.6)
    # By hand: within = (2 x 0.01 + 2 x 0.01 + 1 x 0) / 5, the mean of the means (0.2 + 0.8 + 0.6) / 3.
    within, mean = 0.04 / 5, 1.6 / 3
    spread = ((0.2 - mean) ** 2 + (0.8 - mean) ** 2 + (0.6 - mean) ** 2) / 3
    between = spread - (within / 2 + within / 2 + within) / 3
    for number, (n, own, variance) in enumerate([(2, 0.2, 0.01), (2, 0.8, 0.01), (1, 0.6, 0.0)]):
        z = n / (n + within / between)
        use = history.use_of(owner(number))
        assert use.cpu_mean == pytest.approx(z * own + (1 - z) * mean)
        assert use.cpu_variance == pytest.approx(z * variance + (1 - z) * (within + between))
    assert history.use_of(NOBODY).cpu_mean == pytest.approx(mean)
    assert history.use_of(NOBODY).cpu_variance == pytest.approx(within + between)


def test_many_samples_of_one_moment_do_not_make_an_owner_known() -> None:
    history = OwnerHistory()
    few, many = history.hold(owner(0)), history.hold(owner(1))
    learn(history, few, *[0.9] * 100, new=0.001)
    learn(history, many, *[0.9] * 100)
    assert history.observations_of(owner(0)) == pytest.approx(0.1)
    assert 0.5 < history.use_of(owner(0)).cpu_mean < history.use_of(owner(1)).cpu_mean
    assert history.use_of(owner(1)).cpu_mean == pytest.approx(0.9, abs=0.01)


def test_what_is_unknown_of_a_sample_teaches_nothing() -> None:
    history = OwnerHistory()
    number = history.hold(owner(0))
    learn(history, number, NAN, NAN, memory=0.2)
    use = history.use_of(owner(0))
    assert use.cpu_mean == pytest.approx(0.5)
    assert use.memory_mean < 0.6


def test_samples_lose_weight_with_their_half_life() -> None:
    history = OwnerHistory(HistorySettings(half_life_seconds=100.0))
    number = history.hold(owner(0))
    learn(history, number, *[0.0] * 1000, at=0.0)
    learn(history, number, *[1.0] * 1000, at=200.0)
    # A quarter of the weight is left of the first.
    assert history.observations_of(owner(0)) == pytest.approx(1250.0)
    assert history.use_of(owner(0)).cpu_mean == pytest.approx(0.8, abs=0.01)


def test_the_95th_percentile_is_that_of_the_samples_to_within_a_bucket() -> None:
    history = OwnerHistory()
    number = history.hold(owner(0))
    values = np.random.default_rng(1).lognormal(-1.0, 0.5, 20_000)
    learn(history, number, *values.tolist())
    assert history.p95_of(owner(0))[0] == pytest.approx(np.quantile(values, 0.95), rel=0.06)


def test_hours_of_the_day_stand_out_once_they_have_been_seen() -> None:
    history = OwnerHistory()
    number = history.hold(owner(0))
    for hour in range(24):
        learn(history, number, *[0.8 if hour == 12 else 0.4] * 200, at=3600.0 * (hour + 48))
    profile = history.hourly_of(owner(0))
    mean = history.use_of(owner(0)).cpu_mean
    assert profile[12] == pytest.approx(0.8 / mean, rel=0.02)
    assert profile[3] == pytest.approx(0.4 / mean, rel=0.02)


def test_owners_without_pods_make_way_for_new_ones_the_longest_without_first() -> None:
    history = OwnerHistory(HistorySettings(most_owners=2))
    first, second = history.hold(owner(0)), history.hold(owner(1))
    learn(history, first, 0.9, 0.9)
    assert history.hold(owner(2)) == UNKNOWN
    history.release(first, owner(0))
    history.release(second, owner(1))
    assert history.hold(owner(1)) == second
    third = history.hold(owner(2))
    assert third == first
    assert history.number_of(owner(0)) == UNKNOWN
    assert history.observations_of(owner(2)) == 0.0
    assert history.use_of(owner(2)) == history.use_of(NOBODY)
    assert len(history) == 2


def test_what_is_unknown_to_the_history_neither_learns_nor_leaves() -> None:
    history = OwnerHistory()
    learn(history, UNKNOWN, 0.9, 0.9)
    history.release(UNKNOWN, NOBODY)
    assert history.observations_of(NOBODY) == 0.0
    assert history.use_of(NOBODY).cpu_mean == pytest.approx(0.5)


def test_owners_keep_their_statistics_when_the_tables_grow() -> None:
    history = OwnerHistory()
    numbers = [history.hold(owner(k)) for k in range(40)]
    for k, number in enumerate(numbers):
        learn(history, number, *[k / 40] * 50)
    before = [history.use_of(owner(k)).cpu_mean for k in range(40)]
    for k in range(40, 300):
        history.hold(owner(k))
    assert [history.use_of(owner(k)).cpu_mean for k in range(40)] == pytest.approx(before)
    assert history.use_of(owner(299)) == history.use_of(NOBODY)


def test_pods_that_swing_together_share_their_variance_and_others_do_not() -> None:
    history = OwnerHistory(HistorySettings(prior_weight=1e-9))
    same, apart, new = (history.hold(owner(k)) for k in range(3))
    random = np.random.default_rng(6)
    for hour in range(400):
        common = float(random.uniform(0.0, 1.0))
        learn(history, same, *[common] * 4, at=3600.0 * hour)
        learn(history, apart, *random.uniform(0.0, 1.0, 4).tolist(), at=3600.0 * hour)
    shared = history.shared[0]
    assert shared[same] > 0.9
    assert shared[apart] < 0.1
    assert shared[new] == pytest.approx(shared[UNKNOWN])
    assert shared[apart] < shared[new] < shared[same]


def test_what_is_remembered_is_known_after_a_restart() -> None:
    before = OwnerHistory()
    numbers = [before.hold(owner(k)) for k in range(3)]
    for hour in range(48):
        for k, number in enumerate(numbers):
            learn(before, number, 0.2 + 0.2 * k, 0.3 + 0.2 * k, memory=0.5, at=3600.0 * hour)
    after = OwnerHistory()
    after.hold(owner(7))
    after.restore(before.remembered(3600.0 * 48), 5.0)
    for k in range(3):
        assert after.use_of(owner(k)) == pytest.approx(before.use_of(owner(k)))
        assert after.observations_of(owner(k)) == before.observations_of(owner(k))
        assert after.hourly_of(owner(k)) == pytest.approx(before.hourly_of(owner(k)))
    assert after.shared[0, after.number_of(owner(1))] == pytest.approx(before.shared[0, numbers[1]])
    # What is remembered goes on growing old from where it was.
    for history, now in ((before, 3600.0 * 49), (after, 3605.0)):
        learn(history, history.number_of(owner(0)), 0.9, at=now)
    assert after.use_of(owner(0)) == pytest.approx(before.use_of(owner(0)))


def test_what_is_remembered_does_not_replace_what_has_been_learned_since() -> None:
    before, after = OwnerHistory(), OwnerHistory()
    learn(before, before.hold(owner(0)), 0.1, 0.1)
    learn(after, after.hold(owner(0)), 0.9, 0.9, 0.9)
    known = after.use_of(owner(0))
    after.restore(before.remembered(10.0), 10.0)
    assert after.use_of(owner(0)) == known


def test_no_more_owners_are_restored_than_are_to_be_remembered() -> None:
    before = OwnerHistory()
    for k in range(5):
        learn(before, before.hold(owner(k)), 0.5)
    after = OwnerHistory(HistorySettings(most_owners=2))
    after.hold(owner(9))
    after.restore(before.remembered(0.0), 0.0)
    assert len(after) == 2
    assert after.number_of(owner(9)) != UNKNOWN


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95, 0.999])
def test_quantiles_of_a_histogram_are_close_to_the_samples(level: float) -> None:
    values = np.random.default_rng(2).uniform(0.02, 3.0, 50_000)
    weights = np.bincount(bucket_of(values), minlength=BUCKETS).astype(np.float64)
    assert quantile(weights, level) == pytest.approx(np.quantile(values, level), rel=RATIO - 1.0)


def test_what_is_beyond_the_last_bucket_is_at_least_its_start() -> None:
    weights = np.zeros(BUCKETS)
    weights[bucket_of(np.array([1e9]))] = 1.0
    assert 10.0 < quantile(weights, 0.95) < 12.0
    assert np.isnan(quantile(np.zeros(BUCKETS), 0.5))
