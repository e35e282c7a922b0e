"""Fitting finds again what the generator was told, on a made-up trace; and the shipped parameters are fitted ones."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hydatis.simulations.synthetic.arrivals import draw_arrivals
from hydatis.simulations.synthetic.commands import synthetic
from hydatis.simulations.synthetic.fitting import fit, fit_arrival_rate, fit_nodes
from hydatis.simulations.synthetic.fitting_usage import fit_usage
from hydatis.simulations.synthetic.nodes import draw_nodes
from hydatis.simulations.synthetic.owners import draw_owners
from hydatis.simulations.synthetic.parameters import Parameters
from hydatis.simulations.synthetic.usage import draw_cpu_percent
from hydatis.simulations.traces.folder import DATA_VARIABLE, DataFolder
from hydatis.simulations.traces.forms import UsageSeries

PARAMETERS = Parameters.shipped()


def test_the_shipped_parameters_say_where_they_came_from_and_hold_no_trace() -> None:
    assert PARAMETERS.provenance["fitted_on"]
    assert any(name.startswith("openb/") for name in PARAMETERS.provenance["sha256"])
    assert len(PARAMETERS.text()) < 30_000


def test_parameters_survive_writing_and_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "parameters.json"
    path.write_text(PARAMETERS.text())
    assert Parameters.read(path) == PARAMETERS
    for text in ("{}", "[]", '{"provenance": {}, "arrival_rate": {"per_week": 1}}'):
        with pytest.raises(ValueError, match="no parameters of the generator"):
            Parameters.parse(text)


def test_the_arrival_rate_is_found_again() -> None:
    random = np.random.default_rng(1)
    owners = draw_owners(PARAMETERS, 20, random)
    found = fit_arrival_rate(draw_arrivals(PARAMETERS, owners, 140, random, per_day=2000))
    told = PARAMETERS.arrival_rate
    assert found.per_day == pytest.approx(2000, rel=0.1)
    assert found.hour_profile == pytest.approx(told.hour_profile, abs=0.15)
    assert found.weekday_profile == pytest.approx(told.weekday_profile, abs=0.15)
    assert found.dispersion == pytest.approx(told.dispersion, rel=0.25)
    assert found.persistence == pytest.approx(told.persistence, abs=0.1)


def test_a_steady_stream_has_no_dispersion() -> None:
    told = replace(PARAMETERS, arrival_rate=replace(PARAMETERS.arrival_rate, dispersion=0.0, persistence=0.0))
    random = np.random.default_rng(1)
    pods = draw_arrivals(told, draw_owners(told, 5, random), 140, random, per_day=2000)
    assert fit_arrival_rate(pods).dispersion < 0.01


def test_node_shapes_are_found_again() -> None:
    found = fit_nodes(draw_nodes(PARAMETERS, 3000, np.random.default_rng(1)))
    told = {replace(shape, share=0): shape.share for shape in PARAMETERS.nodes}
    assert sum(shape.share for shape in found) == pytest.approx(1, abs=0.01)
    for shape in found[:3]:
        assert told[replace(shape, share=0)] == pytest.approx(shape.share, abs=0.01)


def test_usage_traits_are_found_again() -> None:
    random = np.random.default_rng(1)
    told = replace(
        draw_owners(PARAMETERS, 1, random)[0].usage,
        mean_percent=20.0,
        variation=0.4,
        daily_amplitude=0.3,
        slow_share=0.7,
        slow_seconds=3 * 3600.0,
        peak_hour=15,
    )
    owners = [replace(owner, usage=told) for owner in draw_owners(PARAMETERS, 60, random)]
    times = np.arange(0, 30 * 86_400, 300.0)
    memory = np.full(len(times), 5.0)
    series = [
        UsageSeries("vm", times, {"cpu_percent": cpu, "memory_percent": memory})
        for cpu in draw_cpu_percent(owners, times, random)
    ]
    found = fit_usage(series)
    assert found.mean_percent.at([0.5])[0] == pytest.approx(20, rel=0.05)
    assert found.variation.at([0.5])[0] == pytest.approx(0.4, rel=0.1)
    assert found.daily_amplitude.at([0.5])[0] == pytest.approx(0.3, rel=0.1)
    assert found.slow_share.at([0.5])[0] == pytest.approx(0.7, abs=0.05)
    assert found.slow_seconds.at([0.5])[0] == pytest.approx(3 * 3600, rel=0.25)
    assert int(np.argmax(found.peak_hour_shares)) in {15, 16}
    assert found.memory_mean_percent.at([0.5])[0] == pytest.approx(5, rel=0.01)


@pytest.fixture
def recorded() -> DataFolder:
    pytest.importorskip("pyarrow", reason="parquet files need the extra `simulations`")
    if not os.environ.get(DATA_VARIABLE):
        pytest.skip(f"{DATA_VARIABLE} names no folder with recorded traces")
    return DataFolder.from_environment()


def test_recorded_traces_give_parameters_that_can_be_drawn_from(recorded: DataFolder) -> None:
    parameters = fit(recorded, date(2026, 1, 1))
    random = np.random.default_rng(1)
    pods = draw_arrivals(parameters, draw_owners(parameters, 100, random), 10, random)
    assert len(pods)
    assert np.isfinite(pods.lifetimes_seconds).all()


def test_the_figure_shows_both(recorded: DataFolder, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need the extra `figures`")
    result = CliRunner().invoke(synthetic, ["figure", str(tmp_path / "fit.png")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "fit.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", ["fit", "figure"])
def test_without_traces_a_command_says_what_is_missing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    result = CliRunner().invoke(synthetic, [command, str(tmp_path / "out.json")])
    assert result.exit_code == 1
    assert "error: HYDATIS_DATA names" in result.output
    assert "holds no openb" in result.output
