"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import re
import socket
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from sync.rest import RetryPolicy
from tests.stand_in import StandIn
from tests.support import examples
from tests.support.fault_server import PATIENCE
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.new_ledgers import NewLedgers
from tests.support.process import end_leftovers
from tests.support.redacting import secrets_as_before
from tests.support.servers import KINDS, SERVERS, databases

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


@pytest.hookimpl(tryfirst=True)  # before those that `-m` leaves out are left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave a test that is slow on servers to `make slow`, where it meets one."""
    for item in items:
        if item.get_closest_marker("slow_on_servers") and set(SERVERS) & set(_words(item.nodeid)):
            item.add_marker("slow")


def _words(nodeid: str) -> list[str]:
    return re.split(r"[][-]", nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how many tests passed on each kind of database."""
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", ())]
    counts = {kind: sum(kind in _words(nodeid) for nodeid in passed) for kind in KINDS}
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
def github() -> Iterator[StandIn]:
    """A GitHub with one user, octo, whose token is TOKEN."""
    with StandIn() as sandbox:
        sandbox.add_user("octo", token=TOKEN, scopes=())
        yield sandbox
        assert sandbox.errors == []


@pytest.fixture
def client(github: StandIn) -> Iterator[GitHubClient]:
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
def new_ledgers() -> Iterator[NewLedgers]:
    """Yield what makes empty databases ledgers."""
    with closing(NewLedgers()) as ledgers:
        yield ledgers


@pytest.fixture(scope="session")
def new_sqlite_ledger(new_ledgers: NewLedgers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a ledger without rows, to be copied."""
    file = tmp_path_factory.mktemp("new") / "ledger.db"
    new_ledgers.make(f"sqlite:///{file}")
    return file


@pytest.fixture
def ledger_url(database_url: str, new_ledgers: NewLedgers) -> str:
    """Return the URL of a ledger without rows."""
    new_ledgers.make(database_url)
    return database_url


@pytest.fixture
def store(ledger_url: str) -> Iterator[Store]:
    with Store(ledger_url) as store:
        yield store


@pytest.fixture
def silent_name_servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Name servers that do not answer; yields an event that is set when they have been asked."""
    asked, over = threading.Event(), threading.Event()

    def wait(*_: object, **__: object) -> None:
        asked.set()
        over.wait(PATIENCE)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield asked
    over.set()
