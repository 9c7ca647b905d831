"""Servers that stop, come back, or cannot be reached: what a run does then, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import OperationalError

from sync.sandbox import Sandbox
from tests.support.backfills import (
    PATIENCE,
    Backfill,
    effect,
    held_at_page,
    runs,
    undisturbed,
    wait_for_pages,
)
from tests.support.runs import fill
from tests.support.servers import Server, own_server, with_password

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),  # a busy machine starts processes slowly
]
PASSWORD = "-".join(["a", "password", "of", "the", "databases"])  # a failure shows source lines


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Yield a server of this test's own."""
    server = own_server(request.param)
    yield server
    server.stop(gently=False)


@pytest.fixture
def ledger_url(server: Server) -> str:
    """Return the URL of an empty database on it, for a user with a password."""
    return with_password(server, PASSWORD)


@pytest.mark.matrix("database.failover")
@pytest.mark.parametrize("gently", [True, False], ids=["shutdown", "crash"])
def test_a_run_goes_on_after_its_server_has_stopped_and_come_back(
    github: Sandbox, tmp_path: Path, server: Server, ledger_url: str, gently: bool
) -> None:
    fill(github, 250)
    with held_at_page(github, 2) as gate:
        backfill = Backfill(github, tmp_path, ledger_url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(ledger_url, 1)
        server.stop(gently=gently)
        server.start()
    ended = backfill.end()
    assert (ended.code, *ended.did) == (0, "succeeded", 3, 250, 0, 0, 0), ended.stderr
    assert runs(ledger_url) == [ended.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)
    assert PASSWORD not in ended.stdout + ended.stderr


def test_a_server_that_has_no_connection_left_is_told_in_a_sentence(
    github: Sandbox, tmp_path: Path, server: Server, ledger_url: str
) -> None:
    server.stop(gently=True)
    server.start(connections=10)
    engine = create_engine(ledger_url, poolclass=NullPool)
    with ExitStack() as stack:
        with suppress(OperationalError):
            while True:
                stack.enter_context(engine.connect())
        ended = Backfill(github, tmp_path, ledger_url).end()
    assert (ended.code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {server.url.get_backend_name()}://keeper:***@/ledger")
    assert "onnections" in line or "too many clients" in line
    assert PASSWORD not in line


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer_is_named_without_its_password(
    github: Sandbox, tmp_path: Path, kind: str
) -> None:
    url = f"{kind}://keeper:{PASSWORD}@127.0.0.1:1/ledger"
    ended = Backfill(github, tmp_path, url).end()
    assert (ended.code, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"error: {kind}://keeper:***@127.0.0.1:1/ledger: ")
    assert "refused" in line
    assert PASSWORD not in line
