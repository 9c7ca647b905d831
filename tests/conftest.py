"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import re
import shutil
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import structlog

from sync.database import migrate
from sync.database.store import Store
from sync.github.client import GitHubClient
from sync.github.sandbox import Sandbox
from sync.rest import RetryPolicy
from tests.support import examples
from tests.support.process import end_leftovers
from tests.support.redacting import secrets_as_before
from tests.support.servers import KINDS, databases

pytest_plugins = ["tests.matrix.report"]
examples.register()

TOKEN = "ghp_" + "t0" * 18
QUICK = RetryPolicy(attempts=3, base=0.01, pace_wait=0.01)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail any test whose output, log or exception shows the token."""
    report = yield
    shown = "".join(text for _, text in report.sections)
    if call.excinfo is not None and not report.failed:
        shown += "".join(traceback.format_exception(call.excinfo.value))
    if TOKEN in shown:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: the token reached the output"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many tests passed on each kind of database."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", ())]
    counts = {kind: sum(kind in re.split(r"[][-]", nodeid) for nodeid in passed) for kind in KINDS}
    if any(counts.values()):
        told = ", ".join(f"{count} on {kind}" for kind, count in counts.items())
        terminalreporter.write_line(f"passed for each database: {told}")


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    with secrets_as_before():
        yield
    end_leftovers()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def github() -> Iterator[Sandbox]:
    """A GitHub with one user, octo, whose token is TOKEN."""
    with Sandbox() as sandbox:
        sandbox.add_user("octo", token=TOKEN, scopes=())
        yield sandbox
        assert sandbox.errors == []


@pytest.fixture
def client(github: Sandbox) -> Iterator[GitHubClient]:
    """A client of `github` that signs in as octo and tries again at once."""
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK) as client:
        yield client


# Whoever takes one of these runs once for each kind of database.


@pytest.fixture(params=KINDS)
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], str]]:
    """Yield what makes databases of this test's own that hold nothing yet, by their URLs."""
    with databases(request.param, tmp_path) as make:
        yield make


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """Return the URL of a database of this test's own that holds nothing yet."""
    return new_database()


@pytest.fixture(scope="session")
def new_sqlite_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger without rows, to be copied: quicker than to migrate."""
    file = tmp_path_factory.mktemp("new") / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def ledger_url(database_url: str, new_sqlite_ledger: Path) -> str:
    """Return the URL of a ledger without rows."""
    if database_url.startswith("sqlite:"):
        shutil.copyfile(new_sqlite_ledger, database_url.removeprefix("sqlite:///"))
    else:
        migrate.upgrade(database_url)
    return database_url


@pytest.fixture
def store(ledger_url: str) -> Iterator[Store]:
    with Store(ledger_url) as store:
        yield store
