"""A plan is carried out to the last case, and bad input is told in one sentence before anything is built."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hydatis.sandbox.verifying.commands import verify
from hydatis.sandbox.verifying.errors import VerifyError
from hydatis.sandbox.verifying.judging import plugin_names, restricted
from hydatis.sandbox.verifying.running import Plan, clusters
from hydatis.scheduler.profile import Profile


@pytest.mark.parametrize("cases", [1, 7, 8, 9, 100])
def test_a_plan_has_exactly_as_many_cases_as_asked_for(cases: int) -> None:
    made = list(clusters(Plan(cases, seed=1, plugins=(), jobs=1), 0, 20))
    assert sum(len(cluster.candidates) for cluster in made) == cases


def test_a_restricted_profile_has_the_named_plugins_and_no_others() -> None:
    names = plugin_names(restricted(Profile(), ("NodePorts", "NodeResourcesFit")))
    assert set(names) == {"NodePorts", "NodeResourcesFit"}


def test_an_unknown_plugin_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(VerifyError, match=r"--plugin Nodes is unknown; choose from NodeName, .*NodePorts"):
        restricted(Profile(), ("Nodes",))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--plugin", "Nodes"], "error: --plugin Nodes is unknown; choose from"),
        (["--json", "missing/folder/out.json"], "error: --json missing/folder/out.json: name a file in a folder"),
    ],
)
def test_the_command_refuses_bad_input_in_one_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")
    app = typer.Typer()
    app.command()(verify)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1
