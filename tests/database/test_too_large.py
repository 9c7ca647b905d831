"""Rows that are too large for the server: each is rejected, and the run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.backfills import Backfill, runs
from tests.support.database import execute, values
from tests.support.runs import fill
from tests.support.servers import own_server, with_password

pytestmark = pytest.mark.timeout(400)  # a busy machine starts processes slowly
PACKET = 1024 * 1024  # the least that servers are set to


@pytest.fixture
def ledger_url() -> Iterator[str]:
    """Yield the URL of an empty database on a MySQL or MariaDB server that takes little at once."""
    server = own_server("mysql")
    url = with_password(server, "any")
    execute(url, f"SET GLOBAL max_allowed_packet = {PACKET}")
    yield url
    server.stop(gently=False)


@pytest.mark.matrix("data.poison")
def test_a_row_too_large_for_the_server_is_rejected_and_all_others_are_stored(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    new, known, large, other = fill(github, 4)
    # Three bytes for each quotation mark: escaped in JSON, and that escaped in SQL.
    too_large = {"note": '"' * (PACKET // 3)}
    github.edit(new, **too_large)
    github.edit(large, note="x" * (PACKET * 4 // 5))
    first = Backfill(github, tmp_path, ledger_url).end()
    assert (first.code, *first.did) == (3, "partial", 1, 3, 0, 0, 1), first.stderr
    github.edit(known, description="new", **too_large)
    github.edit(new, note="short")
    second = Backfill(github, tmp_path, ledger_url).end()
    assert (second.code, *second.did) == (3, "partial", 1, 1, 0, 2, 1), second.stderr
    assert runs(ledger_url) == [first.did, second.did]
    stored = "SELECT id, description, length(payload) > 100000 FROM repositories ORDER BY id"
    assert values(ledger_url, stored) == [
        (new, None, 0),
        (known, None, 0),
        (large, None, 1),
        (other, None, 0),
    ]
    told = values(ledger_url, "SELECT position, reason, length(payload) FROM rejected_items")
    reason = f"it is too large for the server, whose max_allowed_packet is {PACKET} bytes"
    assert told == [(0, f"id {new}: {reason}", 65_536), (1, f"id {known}: {reason}", 65_536)]
