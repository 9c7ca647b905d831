"""What a user is told when this machine's clock is wrong, or was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute
from tests.support.process import repoledger, write_config


@pytest.mark.parametrize(
    ("skew", "told"),
    [
        (timedelta(days=3_650), "this clock is 3650 days ahead of the server's"),
        (timedelta(minutes=-5, seconds=-30), "this clock is 5 min behind the server's"),
    ],
)
def test_a_run_tells_of_a_wrong_clock_once(tmp_path: Path, skew: timedelta, told: str) -> None:
    with Sandbox(now=lambda: datetime.now(UTC) - skew) as github:
        github.add_user("octo", token=TOKEN)
        github.add_repository("octo", "one")
        write_config(tmp_path, github.url)
        for _ in range(2):  # the second is answered with 304 alone
            done = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN)
            events = [json.loads(line) for line in done.stderr.splitlines()]
            wrong = [event for event in events if event["event"] == "clock.wrong"]
            assert [(event["level"], event["account"]) for event in wrong] == [("warning", "me")]
            assert wrong[0]["message"] == told


def test_a_run_says_nothing_of_a_clock_that_is_right(github: Sandbox, tmp_path: Path) -> None:
    write_config(tmp_path, github.url)
    done = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 0
    assert "clock" not in done.stderr


def test_a_sync_that_is_yet_to_come_by_the_present_clock_is_not_shown_as_fresh(
    github: Sandbox, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url)
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    ahead = "2126-01-01 08:09:10.000000"
    execute(
        f"sqlite:///{tmp_path / 'ledger.db'}", f"UPDATE accounts SET last_synced_at = '{ahead}'"
    )
    shown = repoledger("status", cwd=tmp_path).stdout
    assert "at 2126-01-01 08:09:10 UTC" in shown
    assert "me: the last sync is in the future" in " ".join(shown.split())


def test_a_wait_that_ends_in_another_year_is_shown_with_it(github: Sandbox, tmp_path: Path) -> None:
    write_config(tmp_path, github.url)
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    tomorrow = datetime.now(UTC) + timedelta(days=1, seconds=-1)
    execute(
        f"sqlite:///{tmp_path / 'ledger.db'}",
        f"UPDATE accounts SET not_before = '{tomorrow:%Y-%m-%d %H:%M:%S.%f}'",
    )
    shown = repoledger("status", cwd=tmp_path).stdout
    assert f"waits until {tomorrow:%Y-%m-%d %H:%M:%S} UTC" in shown
