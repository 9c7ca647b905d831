"""A user of seven repositories, on three pages, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.stage import Stage
from tests.support.hub import Hub, some_repositories


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub(some_repositories(7)) as hub:
        yield hub


@pytest.fixture
def stage(tmp_path: Path, hub: Hub) -> Stage:
    return Stage(tmp_path, hub)
