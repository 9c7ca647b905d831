"""These run on SQLite with every `make test`, on the servers too with `make slow`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.servers import KINDS, databases


@pytest.fixture(params=KINDS if os.environ.get("REPOLEDGER_TEST_LONG") else KINDS[:1])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Yield what makes databases of this test's own that hold nothing yet, by their URLs."""
    with databases(request.param, tmp_path) as make:
        yield make
