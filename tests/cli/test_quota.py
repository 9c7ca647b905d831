"""What a user sees of GitHub's limits: a forecast, waits, deferrals, and who shares what."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute
from tests.support.ledger import rows
from tests.support.process import on_terminal, repoledger, start_repoledger, write_config
from tests.support.runs import fill

OTHER = "ghp_" + "o0" * 18
BOTH = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "{n.upper()}"\n' for n in ("me", "too"))


@pytest.fixture
def folder(github: Sandbox, tmp_path: Path) -> Path:
    write_config(tmp_path, github.url)
    return tmp_path


def backfill(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return repoledger("backfill", *options, cwd=folder, TOKEN=TOKEN, **variables)


def events(done: subprocess.CompletedProcess[str], name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    return [line for line in lines if line["event"] == name]


def an_hour_from_now() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


# The forecast


def test_a_large_listing_is_foretold_after_its_first_page(github: Sandbox, folder: Path) -> None:
    fill(github, 1_300)
    done = backfill(folder)
    (told,) = events(done, "sync.forecast")
    assert (told["level"], told["pages"], told["requests"]) == ("info", 13, 12)
    assert (told["hourly"], told["resets"], told["enough_at"]) == (4_500, 0, None)
    assert 4_480 < told["available"] < 4_500
    assert events(backfill(folder), "sync.forecast") == []  # all is remembered
    assert events(backfill(folder, "--full"), "sync.forecast") != []


def test_a_listing_that_the_quota_is_too_small_for_is_a_warning_with_the_time(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 1_300)
    reset = an_hour_from_now()
    github.set_quota(TOKEN, limit=20, remaining=10, reset=reset)
    done = backfill(folder)
    (told,) = events(done, "sync.forecast")
    assert (told["level"], told["requests"], told["hourly"]) == ("warning", 12, 18)
    assert told["resets"] == 1
    enough_at = datetime.fromisoformat(told["enough_at"])
    assert abs(enough_at - reset) < timedelta(seconds=5)


def test_a_terminal_shows_the_forecast_in_a_sentence(github: Sandbox, folder: Path) -> None:
    fill(github, 1_300)
    shown = on_terminal("backfill", cwd=folder, columns=80, TOKEN=TOKEN)
    assert "me: 13 pages: about 12 requests of the 4,4" in shown
    assert " until " in shown
    assert "UTC, about 1 s." in " ".join(shown.split())


def test_without_a_token_a_listing_that_is_too_long_for_an_hour_asks_for_one(
    github: Sandbox, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url, '[[accounts]]\nname = "me"\nusername = "octo"\n')
    fill(github, 1_300)
    github.set_quota(None, limit=12, remaining=12, reset=an_hour_from_now())
    shown = on_terminal("backfill", cwd=tmp_path, columns=200)
    assert "never enough. Use a token." in shown


def test_a_wait_before_the_first_page_is_not_taken_for_its_pace(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 4_100)
    github.fail(status=429, path="/user/repos", headers={"Retry-After": "2"}, body=b"{}")
    (told,) = events(backfill(folder), "sync.forecast")
    assert told["seconds"] < 20  # ten times three, if it were


def test_where_the_reserve_leaves_no_request_that_is_what_to_change(
    github: Sandbox, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url, extra="reserve = 0.99\n")
    fill(github, 1_300)
    now = datetime.now(UTC)
    # Enough for the two requests that come before the forecast, in whatever order.
    github.set_quota(TOKEN, limit=60, remaining=62, reset=now + timedelta(hours=1))
    shown = on_terminal("backfill", cwd=tmp_path, columns=200, TOKEN=TOKEN)
    assert "never enough. Lower the configured reserve." in shown


# Waits and deferrals


@pytest.mark.matrix("http.quota")
def test_a_run_that_quota_cut_short_goes_on_where_it_was_and_pays_nothing_twice(
    github: Sandbox, folder: Path
) -> None:
    ids = fill(github, 1_000)
    github.set_quota(TOKEN, limit=10, remaining=6, reset=an_hour_from_now())
    first = backfill(folder)
    assert first.returncode == 4
    stored = rows(folder / "ledger.db", "SELECT count(*) FROM repositories")[0][0]
    assert 0 < stored <= 500
    # Exactly what the pages cost that are not stored, of eleven, and the reserve.
    enough = 11 - stored // 100 + 2
    github.set_quota(TOKEN, limit=20, remaining=enough, reset=an_hour_from_now())
    github.clear_requests()
    execute(f"sqlite:///{folder / 'ledger.db'}", "UPDATE accounts SET not_before = NULL")
    second = backfill(folder)
    asked = [request for request in github.requests if request.path == "/user/repos"]
    free = [request for request in asked if request.status == 304]
    assert len(free) == stored / 100
    assert second.returncode == 0
    assert rows(folder / "ledger.db", "SELECT count(*) FROM repositories") == [(len(ids),)]


def test_a_wait_for_quota_is_shown_by_the_bar_and_over_with_the_next_page(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 150)
    github.fail(status=429, path="/user/repos", headers={"Retry-After": "1"}, body=b"{}")
    shown = on_terminal("backfill", cwd=folder, columns=100, TOKEN=TOKEN)
    assert "me: waits 2 s for quota, until " in shown
    after = shown.rpartition("for quota")[2]
    assert "me succeeded" in " ".join(after.split())


def test_a_wait_stays_on_the_bar_while_pages_that_came_before_it_are_stored(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 2_000)
    reset = datetime.now(UTC) + timedelta(seconds=6)
    github.set_quota(TOKEN, limit=100, remaining=20, reset=reset)
    shown = on_terminal("backfill", cwd=folder, columns=100, TOKEN=TOKEN)
    (waiting,) = re.findall(r"^.* 0:00:03$", shown.replace("\r", "\n"), re.MULTILINE)[:1]
    assert "for quota, until " in waiting


def test_a_wait_before_anything_is_asked_is_shown_and_logged(github: Sandbox, folder: Path) -> None:
    def asked_to_wait() -> None:
        until = datetime.now(UTC) + timedelta(seconds=6)  # longer than a command takes to start
        url = f"sqlite:///{folder / 'ledger.db'}"
        execute(url, f"UPDATE accounts SET not_before = '{until:%Y-%m-%d %H:%M:%S.%f}'")

    backfill(folder)
    asked_to_wait()
    assert "for quota, until " in on_terminal("backfill", cwd=folder, columns=100, TOKEN=TOKEN)
    asked_to_wait()
    (waiting,) = events(backfill(folder), "rate_limit.waiting")
    assert waiting["account"] == "me"
    assert waiting["seconds"] <= 6


def test_a_deferral_does_not_outlive_the_token_that_it_was_told_to(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 1)
    assert backfill(folder).returncode == 0
    github.set_quota(TOKEN, limit=10, remaining=0, reset=an_hour_from_now())
    assert backfill(folder).returncode == 4
    github.clear_requests()
    assert backfill(folder).returncode == 4
    assert github.requests == []
    github.add_user("other", token=OTHER)
    assert repoledger("backfill", cwd=folder, TOKEN=OTHER).returncode == 3  # another's list
    assert github.requests != []


AHEAD = "2126-01-01 00:00:00.000000"


def deferred(github: Sandbox, folder: Path) -> None:
    """Have a run put off for an hour."""
    fill(github, 1)
    github.set_quota(TOKEN, limit=10, remaining=0, reset=an_hour_from_now())
    assert backfill(folder).returncode == 4
    github.set_quota(TOKEN, limit=5_000, remaining=5_000, reset=an_hour_from_now())


def test_a_deferral_that_was_noted_while_the_clock_was_ahead_puts_nothing_off(
    github: Sandbox, folder: Path
) -> None:
    deferred(github, folder)
    execute(
        f"sqlite:///{folder / 'ledger.db'}",
        f"UPDATE accounts SET not_before = '{AHEAD}'",
        f"UPDATE sync_runs SET started_at = '{AHEAD}', finished_at = '{AHEAD}'",
    )
    assert "waiting" not in repoledger("status", cwd=folder).stdout
    assert "asked me to wait" not in repoledger("check", cwd=folder, TOKEN=TOKEN).stdout
    assert backfill(folder, "--dry-run").returncode == 0
    assert backfill(folder).returncode == 0


def test_a_deferral_that_is_further_away_than_anybody_asks_to_wait_puts_nothing_off(
    github: Sandbox, folder: Path
) -> None:
    deferred(github, folder)
    execute(f"sqlite:///{folder / 'ledger.db'}", f"UPDATE accounts SET not_before = '{AHEAD}'")
    assert backfill(folder).returncode == 0


def test_a_stop_during_a_wait_for_quota_forgets_neither_the_wait_nor_how_long_it_was(
    github: Sandbox, folder: Path
) -> None:
    fill(github, 1)
    github.fail(times=9, path="/user*", status=429, headers={"Retry-After": "600"}, body=b"{}")
    process = start_repoledger("backfill", "--json", cwd=folder, TOKEN=TOKEN)
    assert process.stderr is not None
    while "rate_limit.waiting" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=30)
    (stopped,) = json.loads(stdout)
    assert stopped["status"] == "interrupted"
    assert stopped["wait_seconds"] <= stopped["seconds"]
    github.clear_requests()
    again = backfill(folder, "--max-wait", "1s", "--json")
    assert again.returncode == 4
    assert json.loads(again.stdout)[0]["not_before"] == stopped["not_before"]
    assert github.requests == []


# Who shares what


@pytest.mark.matrix("process.shared-quota")
def test_two_accounts_of_one_user_are_one_quota_and_the_second_asks_for_nothing_when_it_is_spent(
    github: Sandbox, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url, BOTH)
    github.add_token("octo", OTHER)
    fill(github, 350)
    done = repoledger("backfill", cwd=tmp_path, ME=TOKEN, TOO=OTHER)
    assert done.returncode == 0
    (shared,) = events(done, "account.quota_shared")
    assert (shared["account"], shared["other"], shared["level"]) == ("too", "me", "warning")
    assert (
        "me, too: one GitHub user, so they share one quota"
        in repoledger("status", cwd=tmp_path).stdout
    )
    # From now on it is known before anything is asked whose the tokens are.
    github.set_quota(TOKEN, limit=20, remaining=2, reset=an_hour_from_now())
    github.clear_requests()
    again = repoledger("backfill", "--json", "--full", cwd=tmp_path, ME=TOKEN, TOO=OTHER)
    first, second = json.loads(again.stdout)
    assert (first["status"], second["status"]) == ("deferred", "deferred")
    assert second["requests"] == 0
