from pathlib import Path

from hydatis.sandbox.replaying.scheduler_log import Account, Attempt, LogReader, Removal

PLACED = """\
I1124 15:48:23.767567   20826 eventhandlers.go:242] "Add event for unscheduled pod" pod="default/p0"
I1124 15:48:23.768236   20826 schedule_one.go:101] "About to try and schedule pod" pod="default/p0"
I1124 15:48:23.768249   20826 schedule_one.go:117] "Attempting to schedule pod" pod="default/p0"
I1124 15:48:23.768563   20826 schedule_one.go:984] "Plugin scored node for pod" pod="default/p0" \
plugin="TaintToleration" node="worker-16-0003" score=300
I1124 15:48:23.768574   20826 schedule_one.go:984] "Plugin scored node for pod" pod="default/p0" \
plugin="NodeResourcesFit" node="worker-16-0003" score=95
I1124 15:48:23.768599   20826 schedule_one.go:984] "Plugin scored node for pod" pod="default/p0" \
plugin="NodeResourcesFit" node="worker-16-0004" score=91
I1124 15:48:23.768644   20826 schedule_one.go:1052] "Calculated node's final score for pod" pod="default/p0" \
node="worker-16-0003" score=395
I1124 15:48:23.768648   20826 schedule_one.go:1052] "Calculated node's final score for pod" pod="default/p0" \
node="worker-16-0004" score=91
I1124 15:48:23.774872   20826 eventhandlers.go:406] "Add event for scheduled pod" pod="default/p0"
I1124 15:48:23.774935   20826 eventhandlers.go:364] "Delete event for unscheduled pod" pod="default/p0"
I1124 15:48:23.775172   20826 schedule_one.go:483] "Successfully bound pod to node" pod="default/p0" \
node="worker-16-0003" evaluatedNodes=6 feasibleNodes=2
"""
TEXT = (
    "0/6 nodes are available: 3 Insufficient cpu, 3 node(s) had untolerated taint(s). "
    "preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling."
)
REFUSED = f"""\
I1124 15:48:26.798908   20826 schedule_one.go:117] "Attempting to schedule pod" pod="default/big"
I1124 15:48:26.799106   20826 schedule_one.go:1194] "Unable to schedule pod; no fit; waiting" pod="default/big" \
err="{TEXT}"
"""


def account_of(text: str) -> Account:
    account = Account()
    for line in text.splitlines():
        account.read(line)
    return account


def test_an_attempt_has_every_score_and_where_the_pod_went() -> None:
    account = account_of(PLACED)
    attempt, queue_left = account.done
    assert attempt == Attempt(
        "default/p0",
        node="worker-16-0003",
        evaluated=6,
        feasible=2,
        parts={
            "TaintToleration": {"worker-16-0003": 300},
            "NodeResourcesFit": {"worker-16-0003": 95, "worker-16-0004": 91},
        },
        totals={"worker-16-0003": 395, "worker-16-0004": 91},
    )
    # A bound pod leaves the queue, too; only one that was placed leaves the cache.
    assert queue_left == Removal("default/p0", False)
    assert not account.busy


def test_a_refusal_has_its_text() -> None:
    (attempt,) = account_of(REFUSED).done
    assert isinstance(attempt, Attempt)
    assert (attempt.node, attempt.message, attempt.complete) == (None, TEXT, True)


def test_an_attempt_keeps_its_place_although_its_binding_ends_after_the_next_began() -> None:
    *begun, bound = PLACED.splitlines()
    account = account_of("\n".join(begun))
    assert account.busy
    assert isinstance(account.done[0], Attempt)
    assert not account.done[0].complete
    for line in [*REFUSED.splitlines(), bound]:
        account.read(line)
    assert [done.pod for done in account.done if isinstance(done, Attempt)] == ["default/p0", "default/big"]
    assert all(done.complete for done in account.done if isinstance(done, Attempt))


def test_a_node_that_was_proposed_by_the_pod_before_is_told_unless_all_were_scored_after_all() -> None:
    begun, *scored, bound = PLACED.splitlines()[2:]
    hint = (
        'I1124 15:48:23.768250   20826 batch.go:96] "OpportunisticBatch provided node hint" profile="hydatis" '
        'pod="default/p0" cycleCount=7 hint="worker-16-0003" remainingNodes=4'
    )
    taken, not_taken = account_of(f"{begun}\n{hint}\n{bound}"), account_of("\n".join([begun, hint, *scored, bound]))
    assert [each.done[0].reused for each in (taken, not_taken) if isinstance(each.done[0], Attempt)] == [True, False]


def test_a_pod_that_is_gone_and_a_failure_are_told() -> None:
    account = account_of(
        'I1124 15:48:27.816754   20826 eventhandlers.go:450] "Delete event for scheduled pod" pod="default/p0"\n'
        'E1124 15:48:27.816754   20826 schedule_one.go:1198] "Error scheduling pod; retrying" err="no" pod="default/p1"'
    )
    assert list(account.done) == [Removal("default/p0", True)]
    assert account.failure is not None
    assert "default/p1" in account.failure


def test_other_lines_and_quoted_quotes_do_no_harm() -> None:
    account = account_of(
        "\nfull stop\n"
        'E1124 15:48:26.274888   20826 configmap_cafile_content.go:246] "Unhandled Error" err="x \\"y\\"" logger="U"\n'
        'I1124 15:48:26.798908   20826 schedule_one.go:117] "Attempting to schedule pod" pod="default/big"\n'
        'I1124 15:48:26.799106   20826 schedule_one.go:1194] "Unable to schedule pod; no fit; waiting" '
        'pod="default/big" err="untolerated taint {a: \\"b\\"} in pod=\\"other\\""'
    )
    (attempt,) = account.done
    assert isinstance(attempt, Attempt)
    assert attempt.message == 'untolerated taint {a: "b"} in pod="other"'


def test_a_line_that_is_not_whole_yet_is_read_when_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kube-scheduler.log"
    path.write_text(REFUSED[:200])
    reader = LogReader(path)
    try:
        assert reader.read()
        assert reader.account.busy
        assert not reader.read()
        with path.open("a") as log:
            log.write(REFUSED[200:])
        assert reader.read()
        assert not reader.account.busy
    finally:
        reader.close()
