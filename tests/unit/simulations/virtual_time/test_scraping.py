"""Which metrics are missing, for how long and whose."""

import numpy as np
import pytest

from hydatis.simulations.virtual_time.running_pods import RunningPods
from hydatis.simulations.virtual_time.scenario import Assumptions
from hydatis.simulations.virtual_time.scraping import Scraping
from hydatis.simulations.virtual_time.testing import Pod, workload_of

_NODES = 400


def spells(assumptions: Assumptions, scrapes: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which nodes are missing at each scrape."""
    scraping = Scraping(_NODES, assumptions, np.random.default_rng(1))
    running = RunningPods(workload_of(), np.ones(_NODES), np.ones(_NODES))
    missing = np.ones((scrapes, _NODES), dtype=np.bool_)
    for scrape in range(scrapes):
        scraping.note(running, np.ones(_NODES, dtype=np.bool_))
        missing[scrape, scraping.scrape(30.0 * scrape, running).nodes] = False
    return missing


def test_as_many_nodes_are_missing_as_assumed_for_as_long_as_assumed() -> None:
    missing = spells(Assumptions(missing_share=0.05, missing_spell_seconds=300.0), 2000)
    assert missing.mean() == pytest.approx(0.05, abs=0.005)
    begins = (~missing[:-1] & missing[1:]).sum()
    assert missing[1:].sum() / begins == pytest.approx(10, rel=0.1)


def test_none_is_missing_when_none_is_assumed_to_be() -> None:
    assert not spells(Assumptions(missing_share=0.0), 50).any()


def test_the_same_generator_gives_the_same_gaps() -> None:
    assert (spells(Assumptions(missing_share=0.3), 50) == spells(Assumptions(missing_share=0.3), 50)).all()


def test_pods_of_a_node_whose_metrics_are_missing_are_missing_too() -> None:
    scraping = Scraping(20, Assumptions(missing_share=0.5), np.random.default_rng(1))
    running = RunningPods(workload_of(*[Pod()] * 20), np.full(20, 4000.0), np.full(20, 4000.0))
    for pod in range(20):
        running.start(pod, pod, 0.0, 1e6)
    running.look(0.0)
    running.share_cpu(0.02, 1.0)
    scraping.note(running, np.ones(20, dtype=np.bool_))
    scraped = scraping.scrape(30.0, running)
    assert 0 < len(scraped.nodes) < 20
    assert scraped.pods.tolist() == scraped.nodes.tolist()
    assert scraped.pod_cpu_millicores.tolist() == [500] * len(scraped.pods)


def test_what_just_came_is_averaged_since_it_came() -> None:
    scraping = Scraping(1, Assumptions(missing_share=0.0), np.random.default_rng(1))
    running = RunningPods(workload_of(Pod(), Pod()), np.full(1, 4000.0), np.full(1, 4000.0))
    everywhere = np.ones(1, dtype=np.bool_)
    running.start(0, 0, 0.0, 1e6)
    for now in (0.0, 30.0):
        if now:
            running.start(1, 0, now, 1e6)
        running.look(now)
        running.share_cpu(0.02, 1.0)
        scraping.note(running, everywhere)
    scraped = scraping.scrape(60.0, running)
    assert scraped.pods.tolist() == [0, 1]
    assert scraped.pod_cpu_millicores.tolist() == [500, 500]
    # The node had one pod in the first half of the window and two in the second.
    assert scraped.node_cpu_millicores.tolist() == [750]


def test_a_pod_that_came_since_the_last_step_has_no_sample_yet() -> None:
    scraping = Scraping(1, Assumptions(missing_share=0.0), np.random.default_rng(1))
    running = RunningPods(workload_of(Pod()), np.full(1, 4000.0), np.full(1, 4000.0))
    running.look(0.0)
    scraping.note(running, np.ones(1, dtype=np.bool_))
    running.start(0, 0, 10.0, 1e6)
    assert scraping.scrape(30.0, running).pods.tolist() == []
