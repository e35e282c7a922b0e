"""One oracle for the session's tests: built where it is missing, which takes a minute."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydatis.sandbox.verifying.oracle import Oracle, provide_oracle


@pytest.fixture(scope="session")
def oracle_binary() -> Path:
    # A first build takes a while, so this goes past pytest's capturing.
    return provide_oracle(lambda message: print(message, file=sys.__stderr__, flush=True))


@pytest.fixture(scope="session")
def oracle(oracle_binary: Path) -> Iterator[Oracle]:
    with Oracle(oracle_binary) as started:
        yield started
