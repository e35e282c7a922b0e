"""HYDATIS and kube-scheduler agree on thousands of random cases, and `hydatis verify` says where they do not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hydatis.sandbox.verifying.answers import from_oracle
from hydatis.sandbox.verifying.arguments import filtering_with_arguments, scoring_by
from hydatis.sandbox.verifying.cases import Cluster
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.sandbox.verifying.generating.clusters import make_cluster
from hydatis.sandbox.verifying.generating.surroundings import CANDIDATES
from hydatis.sandbox.verifying.oracle import Oracle
from hydatis.sandbox.verifying.session import Session
from hydatis.scheduler.plugin_args import ScoringStrategyType
from hydatis.scheduler.profile import Profile
from hydatis.scheduler.testing import node, pod

CASES = 3000
SEED = 20


def test_the_two_agree_on_thousands_of_cases_that_put_every_plugin_to_the_test(oracle: Oracle) -> None:
    outcome = Session(oracle, Profile()).verify(make_cluster(SEED, number) for number in range(CASES // CANDIDATES))
    assert [disagreement.as_json() for disagreement in outcome.disagreements] == []
    assert outcome.tally.disagreeing == 0
    assert outcome.tally.cases == CASES
    assert outcome.tally.untested(Profile()) == ()
    assert min(outcome.tally.verdicts.values()) >= 20


def test_the_two_agree_with_added_affinity_and_default_constraints(oracle: Oracle) -> None:
    profile = filtering_with_arguments(Profile())
    outcome = Session(oracle, profile).verify(make_cluster(SEED, number) for number in range(480))
    assert outcome.tally.disagreeing == 0
    verdicts = outcome.tally.verdicts
    for plugin in ("NodeAffinity", "PodTopologySpread"):
        assert min(verdicts[plugin, "pass"], verdicts[plugin, "reject"], verdicts[plugin, "score"]) >= 100


@pytest.mark.parametrize("strategy", ScoringStrategyType)
def test_the_two_agree_with_every_scoring_strategy(oracle: Oracle, strategy: ScoringStrategyType) -> None:
    profile = scoring_by(Profile(), strategy)
    outcome = Session(oracle, profile).verify(make_cluster(SEED, number) for number in range(60))
    assert outcome.tally.disagreeing == 0
    assert outcome.tally.verdicts["NodeResourcesFit", "score"] >= 100


def test_the_command_counts_what_it_compared(oracle_binary: Path, tmp_path: Path) -> None:
    out = tmp_path / "verify.json"
    program = "import sys; from hydatis.operator.command_line import main; sys.exit(main())"
    arguments = ["verify", "--cases", "1001", "--seed", "3", "--jobs", "2", "--json", str(out)]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    document = json.loads(out.read_text())
    assert (document["cases"], document["seed"], document["disagreeing_cases"]) == (1001, 3, 0)
    assert document["disagreements"] == document["untested"] == []
    assert all(count > 0 for verdicts in document["agreement"].values() for count in verdicts.values())
    assert document["versions"]["kube_scheduler"].startswith("v1.")
    assert "1,001 cases, seed 3" in result.stdout


def test_a_restricted_comparison_leaves_the_other_plugins_out(oracle: Oracle) -> None:
    full = pod("p").requests(cpu="100").host_port(80)
    cluster = Cluster(1, (node("n").manifest(),), (pod("q").on("n").host_port(80).manifest(),), (full.manifest(),))
    oracle.ask([cluster.request(("NodePorts",)), cluster.request(())])
    restricted, everything = oracle.answers(2)
    assert set(restricted["answers"][0]["filters"]) == {"NodePorts"}
    assert set(everything["answers"][0]["filters"]) == {"NodePorts", "NodeResourcesFit"}


def test_the_oracle_answers_for_plugins_that_look_other_objects_up(oracle: Oracle) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "volumeName": "volume",
        },
        "status": {"phase": "Pending"},
    }
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "web"}},
        }
    ]
    candidates = (
        pod("claims").set_spec(volumes=volumes).manifest(),
        pod("spreads").set_spec(topologySpreadConstraints=spread).manifest(),
    )
    cluster = Cluster(1, (node("n").manifest(),), (), candidates, (claim,))
    oracle.ask([cluster.request(())])
    claims, spreads = (from_oracle(verdict) for verdict in oracle.answers(1)[0]["answers"])
    assert claims.prefilter == "pod has unbound immediate PersistentVolumeClaims"
    assert spreads.rejections["PodTopologySpread"] == {
        "n": ("node(s) didn't match pod topology spread constraints (missing required label)",)
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id":4,"plugins":["Nonsense"]}\n', "cluster 4: plugin Nonsense neither filters nor scores"),
        (b'{"id":5,"nodes":3}\n', "the line is not a request"),
        (b'{"id":6,"objects":[{"apiVersion":"v1","kind":"Nonsense"}]}\n', r"cluster 6: objects\[0\]: no kind"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_and_the_next_one_answered(
    oracle: Oracle, line: bytes, said: str
) -> None:
    oracle.ask([line])
    with pytest.raises(VerifyError, match=said):
        oracle.answers(1)
    cluster = Cluster(1, (node("n").manifest(),), (), (pod("p").manifest(),))
    oracle.ask([cluster.request(())])
    assert from_oracle(oracle.answers(1)[0]["answers"][0]).feasible == {"n"}
