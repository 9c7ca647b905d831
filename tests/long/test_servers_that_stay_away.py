"""A server that stays away in the middle of a run, and a line that breaks again and again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

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
from tests.support.cutting import CuttingLine
from tests.support.inside.database import dialect_of
from tests.support.runs import fill
from tests.support.servers import own_server, with_password

pytestmark = pytest.mark.timeout(400)
PASSWORD = "-".join(["a", "password", "of", "the", "databases"])  # a failure shows source lines


@pytest.mark.matrix("database.failover")
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
@pytest.mark.parametrize("gently", [True, False], ids=["shutdown", "crash"])
def test_a_run_whose_server_stays_away_fails_cleanly_and_the_next_converges(
    github: Sandbox, tmp_path: Path, kind: str, gently: bool
) -> None:
    fill(github, 250)
    server = own_server(kind)
    url = with_password(server, PASSWORD)
    with held_at_page(github, 2) as gate:
        backfill = Backfill(github, tmp_path, url)
        assert gate.reached.wait(PATIENCE)
        wait_for_pages(url, 1)
        server.stop(gently=gently)
    failed = backfill.end()
    server.start()
    assert (failed.code, *failed.did) == (1, "failed", 1, 100, 0, 0, 0)
    assert failed.outcome["error_message"].startswith(f"{kind}://")
    assert "***@/ledger" in failed.outcome["error_message"]
    assert failed.traceless
    assert PASSWORD not in failed.stdout + failed.stderr
    assert runs(url) == [("running", 1, 100, 0, 0, 0)]  # nobody was there to be told
    converged = Backfill(github, tmp_path, url).end()
    assert (converged.code, *converged.did) == (0, "succeeded", 3, 150, 0, 100, 0)
    assert runs(url) == [("interrupted", 1, 100, 0, 0, 0), converged.did]
    assert effect(url) == undisturbed(github, tmp_path)
    server.stop(gently=False)


@pytest.mark.parametrize("new_database", ["postgresql", "mysql"], indirect=True)
def test_a_run_whose_page_is_cut_off_again_and_again_fails_cleanly_and_the_next_converges(
    github: Sandbox, tmp_path: Path, ledger_url: str
) -> None:
    ids = fill(github, 250)
    github.edit(ids[150], description="cut-here")
    with (
        tempfile.TemporaryDirectory(prefix="repoledger-") as folder,  # a socket's path is short
        CuttingLine(ledger_url, Path(folder), b"cut-here", at_commit=False, times=99) as line,
    ):
        failed = Backfill(github, tmp_path, line.url).end()
    assert line.cuts == 5
    assert (failed.code, *failed.did) == (1, "failed", 1, 100, 0, 0, 0)
    assert dialect_of(line.url).where in failed.outcome["error_message"]
    assert failed.traceless
    converged = Backfill(github, tmp_path, ledger_url).end()
    assert (converged.code, *converged.did) == (0, "succeeded", 3, 150, 0, 100, 0)
    assert runs(ledger_url) == [failed.did, converged.did]
    assert effect(ledger_url) == undisturbed(github, tmp_path)
