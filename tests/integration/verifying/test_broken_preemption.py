"""The comparison can fail for preemption: a rule that is passed over or changed is caught in a small case.

The rules of DefaultPreemption are broken in a subclass in its place in the profile; what surrounds them (who may
displace others, which nodes are worth a look, what budgets say, which nominated pods count) is broken where it is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from hydatis.sandbox.verifying.judging import restricted
from hydatis.sandbox.verifying.session import Disagreement
from hydatis.scheduler import pod_class
from hydatis.scheduler.arrays import Rows
from hydatis.scheduler.disruption_budgets import DisruptionBudgets
from hydatis.scheduler.filter_args import FilterArgs
from hydatis.scheduler.nominations import Beside, Nominations
from hydatis.scheduler.plugins import default_preemption
from hydatis.scheduler.plugins.default_preemption import Candidate, DefaultPreemption, Victim
from hydatis.scheduler.pod_class import PodClass, Rank
from hydatis.scheduler.preempting import Preemptor, Search
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.reserving import Reservations

FindDisagreement = Callable[[Profile], Disagreement | None]
Break = Callable[[pytest.MonkeyPatch], DefaultPreemption | None]
"""Breaks a rule where it is, or returns rules to take in place of the real ones."""

_WITH = ("NodeResourcesFit", "TaintToleration", DefaultPreemption.name)
"""So few plugins leave most pods only room to wait for."""


class ShortRunsDoNotMatter(DefaultPreemption):
    def best(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        forgotten = [
            candidate._replace(victims=tuple(victim._replace(started_at="") for victim in candidate.victims))
            for candidate in candidates
        ]
        kept = {candidate.row for candidate in super().best(forgotten)}
        return [candidate for candidate in candidates if candidate.row in kept]


class TheLongestRunsGoFirst(DefaultPreemption):
    def best(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        kept = ShortRunsDoNotMatter().best(candidates)
        starts = {c.row: min(v.started_at for v in c.victims if v.priority == c.victims[0].priority) for c in kept}
        return [candidate for candidate in kept if starts[candidate.row] == min(starts.values())]


class EveryVictimsRunCounts(DefaultPreemption):
    def best(self, candidates: Sequence[Candidate]) -> Sequence[Candidate]:
        kept = ShortRunsDoNotMatter().best(candidates)
        starts = {candidate.row: min(victim.started_at for victim in candidate.victims) for candidate in kept}
        return [candidate for candidate in kept if starts[candidate.row] == max(starts.values())]


class LongRunsDoNotSpare(DefaultPreemption):
    def by_importance(self, victims: Iterable[Victim]) -> list[Victim]:
        return sorted(victims, key=lambda victim: -victim.priority)


class PriorityDoesNotSpare(DefaultPreemption):
    def by_importance(self, victims: Iterable[Victim]) -> list[Victim]:
        return sorted(victims, key=lambda victim: victim.started_at)


def _without(cost: str) -> Break:
    def passed_over(patch: pytest.MonkeyPatch) -> None:
        costs = [known for known in default_preemption._COSTS if known.__name__ != cost]
        assert len(costs) + 1 == len(default_preemption._COSTS), cost
        patch.setattr(default_preemption, "_COSTS", costs)

    return passed_over


def _negative_priorities_weigh_less_than_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(default_preemption, "_ABOVE_EVERY_PRIORITY", 0)


def _the_least_important_are_spared_first(patch: pytest.MonkeyPatch) -> None:
    real = Preemptor._in_reprieve_order

    def reversed_order(
        self: Preemptor, victims: Iterable[Victim], placed: Mapping[str, PodClass]
    ) -> Iterator[tuple[Victim, bool]]:
        return real(self, reversed(list(victims)), placed)

    patch.setattr(Preemptor, "_in_reprieve_order", reversed_order)


def _budgets_spare_nobody(patch: pytest.MonkeyPatch) -> None:
    real = Preemptor._in_reprieve_order

    def by_importance_alone(
        self: Preemptor, victims: Iterable[Victim], placed: Mapping[str, PodClass]
    ) -> Iterator[tuple[Victim, bool]]:
        victims = list(victims)
        violating = dict(real(self, victims, placed))
        return ((victim, violating[victim]) for victim in victims)

    patch.setattr(Preemptor, "_in_reprieve_order", by_importance_alone)


def _there_are_no_budgets(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(DisruptionBudgets, "violations", lambda self, pods: ((pod, False) for pod, _, _ in pods))


def _a_disruption_is_counted_twice(patch: pytest.MonkeyPatch) -> None:
    real = DisruptionBudgets.set

    def without_disrupted_pods(self: DisruptionBudgets, manifest: Mapping[str, Any]) -> None:
        real(self, {**manifest, "status": {**manifest["status"], "disruptedPods": {}}})

    patch.setattr(DisruptionBudgets, "set", without_disrupted_pods)


def _everybody_preempts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pod_class, "rank_of", lambda spec: Rank(spec.get("priority") or 0, True))


def _victims_on_their_way_out_are_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reservations, "is_preempted", lambda self, uid: False)


def _everybody_on_the_way_out_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reservations, "is_preempted", Reservations.is_leaving)


def _equals_make_way(patch: pytest.MonkeyPatch) -> None:
    real = Preemptor._dry_runs

    def higher_by_one(self: Preemptor, uid: str, pod: PodClass, args: FilterArgs, rows: Rows) -> Any:
        raised = PodClass(pod.requirements, pod.identity, pod.controller, Rank(pod.priority + 1))
        return real(self, uid, raised, args, rows)

    patch.setattr(Preemptor, "_dry_runs", higher_by_one)


def _nominated_pods_do_not_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Nominations, "beside", lambda self, uid, pod: {})


def _heeding(heeds: Callable[[PodClass, PodClass], bool]) -> Break:
    def changed(patch: pytest.MonkeyPatch) -> None:
        def beside(self: Nominations, uid: str, pod: PodClass) -> Beside:
            return self._heeded(lambda other, its: heeds(its, pod) and other != uid)

        patch.setattr(Nominations, "beside", beside)

    return changed


def _every_node_is_worth_a_look(patch: pytest.MonkeyPatch) -> None:
    real = Preemptor.search

    def everywhere(self: Preemptor, uid: str, pod: PodClass, args: FilterArgs, *_: Any) -> Search:
        return real(self, uid, pod, args, self.cluster.rows(), 0)

    patch.setattr(Preemptor, "search", everywhere)


def _taking(rules: DefaultPreemption) -> Break:
    return lambda _: rules


_BROKEN: Mapping[str, Break] = {
    "the least important are spared first": _the_least_important_are_spared_first,
    "long runs do not spare": _taking(LongRunsDoNotSpare()),
    "priority does not spare": _taking(PriorityDoesNotSpare()),
    "budgets spare nobody": _budgets_spare_nobody,
    "broken budgets do not count in the choice": _without("_violations"),
    "there are no budgets": _there_are_no_budgets,
    "a disruption is counted twice": _a_disruption_is_counted_twice,
    "the highest priority does not matter": _without("_highest_priority"),
    "the sum of priorities does not matter": _without("_sum_of_priorities"),
    "negative priorities weigh less than nothing": _negative_priorities_weigh_less_than_nothing,
    "the number of victims does not matter": _without("_number_of_victims"),
    "short runs do not matter": _taking(ShortRunsDoNotMatter()),
    "the longest runs go first": _taking(TheLongestRunsGoFirst()),
    "every victim's run counts": _taking(EveryVictimsRunCounts()),
    "everybody preempts": _everybody_preempts,
    "victims on their way out are not waited for": _victims_on_their_way_out_are_not_waited_for,
    "everybody on the way out is waited for": _everybody_on_the_way_out_is_waited_for,
    "equals make way": _equals_make_way,
    "nominated pods do not count": _nominated_pods_do_not_count,
    "nominated pods of equal priority do not count": _heeding(lambda its, pod: its.priority > pod.priority),
    "nominated pods of lower priority count": _heeding(lambda its, pod: True),
    "every node is worth a look": _every_node_is_worth_a_look,
}


@pytest.mark.parametrize("broken", _BROKEN.values(), ids=_BROKEN.keys())
def test_a_rule_of_preemption_that_is_broken_is_caught_in_a_small_case(
    find_disagreement: FindDisagreement, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    profile = restricted(Profile(), _WITH)
    rules = broken(monkeypatch)
    found = find_disagreement(profile if rules is None else replace(profile, preemption=rules))
    assert found is not None
    assert not {difference.plugin for difference in found.differences}.isdisjoint({DefaultPreemption.name, ""})
    assert len(found.case.nodes) <= 3
    assert len(found.case.candidates) == 1
