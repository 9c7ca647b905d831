"""A daemon whose accounts are at two hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import RunningDaemon, wait_until, write_daemon_config
from tests.support.ledger import contents, rows

WORK = "ghp_" + "w7" * 18
COLLEAGUE = '[[accounts]]\nname = "colleague"\ntoken_env = "WORK"\nforge = "work"\n'
ME = '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
RUNS = "SELECT account, status, error_type FROM sync_runs ORDER BY id"


@pytest.fixture
def work() -> Iterator[Sandbox]:
    with Sandbox(enterprise=True) as sandbox:
        sandbox.add_user("octo", token=WORK, scopes=())
        sandbox.add_repository("octo", "hello")
        yield sandbox


def write(folder: Path, github: Sandbox, work: Sandbox, accounts: str) -> None:
    forge = f'[forges.work]\napi_url = "{work.url}"\nmax_wait = "0s"\n'
    write_daemon_config(folder, github.url, 'every = "1h"', forge + accounts)


def test_a_daemon_syncs_accounts_of_two_hosts(
    github: Sandbox, work: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello")
    write(tmp_path, github, work, ME + COLLEAGUE)
    with RunningDaemon(tmp_path, WORK=WORK) as daemon:
        for account in ("me", "colleague"):
            daemon.wait_for("sync.run_finished", account=account, inserted=1)
        wait_until(lambda: daemon.json("/readyz")[0] == 200)
    found = rows(tmp_path / "ledger.db", "SELECT full_name, host FROM repositories")
    hosts = [url.removeprefix("http://").partition("/")[0] for url in (github.url, work.url)]
    assert sorted(found) == sorted(("octo/hello", host) for host in hosts)


def test_an_account_that_a_reload_points_at_another_host_fails_alone(
    github: Sandbox, work: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello")
    work.add_token("octo", TOKEN)
    write(tmp_path, github, work, ME)
    with RunningDaemon(tmp_path, WORK=WORK) as daemon:
        daemon.wait_for("sync.run_finished", account="me")
        before = contents(tmp_path / "ledger.db")
        write(tmp_path, github, work, ME + 'forge = "work"\nevery = "1s"\n' + COLLEAGUE)
        daemon.reload()
        failed = daemon.wait_for("sync.run_failed", account="me")
        assert failed["error_type"] == "ConfigError"
        assert "a name of its own" in failed["error_message"]
        daemon.wait_for("sync.run_finished", account="colleague", inserted=1)
    mine = "SELECT * FROM {} WHERE account = 'me' ORDER BY 1"
    for table in ("account_repositories", "page_cache"):
        found = [row for row in before[table] if "me" in row]
        assert sorted(rows(tmp_path / "ledger.db", mine.format(table))) == found
    told = rows(tmp_path / "ledger.db", RUNS)
    assert ("me", "failed", "ConfigError") in told
    assert ("colleague", "succeeded", None) in told
