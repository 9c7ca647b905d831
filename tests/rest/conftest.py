"""A client of one server, free of the environment that the tests run in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from sync.rest import RestClient
from tests.rest.helpers import QUICK

Connect = Callable[..., RestClient]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "netrc"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that retry at once and are closed after the test: connect(url, **options)."""
    with ExitStack() as stack:

        def make(url: str, **options: Any) -> RestClient:
            return stack.enter_context(RestClient(url, **{"retry": QUICK, **options}))

        yield make


@pytest.fixture
def events() -> Iterator[list[Any]]:
    """Every event logged during the test, whatever its level."""
    structlog.reset_defaults()
    with capture_logs() as captured:
        yield captured
