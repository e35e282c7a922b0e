import pytest

from hydatis.simulations.traces.folder import DATA_VARIABLE


@pytest.fixture
def made_up_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train on what is made up, whatever the environment names."""
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
