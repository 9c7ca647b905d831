"""Hostile servers, careless users and odd machines: the daemon goes on, and says what is wrong."""

from __future__ import annotations

import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import PATIENCE, RunningDaemon, wait_until, write_daemon_config
from tests.support.ledger import rows, value
from tests.support.process import repoledger

pytestmark = pytest.mark.slow


@contextmanager
def black_hole() -> Iterator[str]:
    """Yield the address of a port at which connections are never answered."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # its queue is full then
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield "{}:{}".format(*listener.getsockname())


def test_a_stop_is_heard_while_a_reload_waits_for_the_database(
    github: Sandbox, folder: Path
) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(20):
                daemon.send(signal.SIGHUP)
            daemon.send(signal.SIGTERM)
            assert daemon.process.wait(timeout=8) == 0


def test_a_stop_between_reloads_is_still_the_first_and_the_next_one_ends_it(
    github: Sandbox, folder: Path
) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            daemon.send(signal.SIGTERM)
            daemon.wait_for("daemon.stopping")
            daemon.send(signal.SIGHUP)
            assert daemon.stop() == 130


def test_a_reload_that_fails_changes_nothing(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        config = folder / "config.toml"
        good = config.read_text()
        (folder / "other.db").write_bytes(b"not a database" * 100)
        bad = good.replace("ledger.db", "other.db").replace("127.0.0.1:0", "localhost:0")
        config.write_text(bad.replace('"me"', '"somebody"'))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("config.refused")
        assert daemon.get("/livez")[0] == 200
        before = len(daemon.logged("sync.run_finished"))
        daemon.wait_for("sync.run_finished", times=before + 2, account="me", status="succeeded")


@pytest.mark.parametrize("name", ["b" * 300, "f" * 300 + "/ledger.db", "config.toml/ledger.db"])
def test_a_database_that_no_system_could_hold_is_refused_at_a_reload(
    github: Sandbox, folder: Path, name: str
) -> None:
    with RunningDaemon(folder) as daemon:
        config = folder / "config.toml"
        config.write_text(config.read_text().replace("ledger.db", name))
        daemon.send(signal.SIGHUP)
        daemon.wait_for("config.refused")
        assert daemon.get("/livez")[0] == 200


def test_another_database_after_a_reload_is_filled_at_once(github: Sandbox, folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        config = folder / "config.toml"
        config.write_text(config.read_text().replace("ledger.db", "second.db"))
        daemon.reload()
        daemon.wait_for("sync.run_finished", times=2)
    assert value(folder / "second.db", "SELECT count(*) FROM repositories") == 3


def test_a_server_that_puts_off_to_now_is_not_asked_in_a_loop(
    github: Sandbox, folder: Path
) -> None:
    github.fail(times=99, path="/user*", status=429, headers={"Retry-After": "0"}, body=b"{}")
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("schedule.run_postponed", times=2)
        (first, second) = daemon.logged("schedule.run_postponed")
        assert first["until"] < second["until"]
        wait_until(lambda: repoledger("status", cwd=folder).stdout.count("in ") >= 1)
    assert len(daemon.logged("sync.run_finished")) == 2


@pytest.mark.matrix("database.full")
def test_a_database_that_takes_nothing_more_makes_it_not_ready_until_it_does(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        # No page can be written; to fill the disk would be the same error from the same place.
        with closing(sqlite3.connect(folder / "ledger.db")) as database:
            database.execute(
                "CREATE TRIGGER full BEFORE UPDATE ON sync_runs "
                "BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
            )
        daemon.wait_for("schedule.run_postponed")
        status, ready = daemon.json("/readyz")
        assert (status, daemon.get("/livez")[0]) == (503, 200)
        assert "database or disk is full" in ready["problems"]["me"]
        with closing(sqlite3.connect(folder / "ledger.db")) as database:
            database.execute("DROP TRIGGER full")
        wait_until(lambda: daemon.json("/readyz")[0] == 200)


def test_a_deleted_database_is_made_and_filled_again(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        for file in folder.glob("ledger.db*"):
            file.unlink()
        failed = daemon.wait_for("sync.run_failed")
        assert failed["error_type"] == "DatabaseUnusable"
        before = len(daemon.logged("sync.run_finished"))
        daemon.wait_for("sync.run_finished", times=before + 1, status="succeeded")
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == 3


def test_runs_that_died_are_recorded_also_of_accounts_that_are_no_more(folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.execute("INSERT INTO accounts (name, host, generation) VALUES ('gone', 'h', 1)")
        columns = "pages, requests, not_modified, inserted, updated, unchanged, removed, restored"
        database.execute(
            f"INSERT INTO sync_runs (account, trigger, status, complete, started_at, {columns}, "
            "rejected, skipped, wait_seconds) VALUES ('gone', 'schedule', 'running', 0, "
            "'2026-01-01 00:00:00.000000', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
        )
        database.commit()
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", account="me")
    statuses = dict(rows(folder / "ledger.db", "SELECT account, status FROM sync_runs"))
    assert statuses == {"gone": "interrupted", "me": "succeeded"}


def test_accounts_that_wait_for_quota_keep_no_worker_from_the_others(
    github: Sandbox, folder: Path
) -> None:
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\n{identity}\n'
        for name, identity in (("spent", 'username = "spent"'), ("well", 'token_env = "TOKEN"'))
    )
    github.fail(times=99, path="/users/*", status=429, headers={"Retry-After": "600"}, body=b"{}")
    file = write_daemon_config(folder, github.url, 'every = "1s"\nconcurrency = 1', accounts)
    file.write_text(file.read_text().replace('max_wait = "0s"', 'max_wait = "15m"'))
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", account="spent", status="deferred")
        daemon.wait_for("sync.run_finished", account="well", times=3)


def test_a_watcher_that_cannot_be_reached_does_not_hold_up_the_stop(
    github: Sandbox, folder: Path
) -> None:
    with black_hole() as address:
        ping = f'[ping]\nsuccess_url = "http://{address}/ping"\n'
        write_daemon_config(folder, github.url, f'every = "1h"\n{ping}')
        with RunningDaemon(folder) as daemon:
            daemon.wait_for("sync.run_finished")
            daemon.send(signal.SIGTERM)
            assert daemon.process.wait(timeout=5) == 0


def test_a_server_that_cannot_be_reached_does_not_hold_up_the_stop(
    github: Sandbox, folder: Path
) -> None:
    with black_hole() as address:
        write_daemon_config(folder, f"http://{address}", 'every = "1h"')
        with RunningDaemon(folder) as daemon:
            wait_until(lambda: value(folder / "ledger.db", "SELECT count(*) FROM sync_runs"))
            daemon.send(signal.SIGTERM)
            assert daemon.process.wait(timeout=6) == 0
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs") == [("interrupted",)]


def test_slow_clients_do_not_shut_out_the_health_check(folder: Path) -> None:
    with RunningDaemon(folder) as daemon, ExitStack() as stack:
        host, _, port = daemon.started["listen"].rpartition(":")
        for _ in range(16):
            slow = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            slow.sendall(b"GET /livez HT")
        assert daemon.get("/livez")[0] == 200


def test_a_service_manager_that_does_not_read_stops_nothing(folder: Path, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "deaf"))
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as filler:
            filler.setblocking(False)
            with suppress(BlockingIOError):  # that is when it is full
                while filler.sendto(b"x" * 1000, str(tmp_path / "deaf")):
                    pass
        with RunningDaemon(folder, NOTIFY_SOCKET=str(tmp_path / "deaf")) as daemon:
            daemon.wait_for("sync.run_finished")
            daemon.send(signal.SIGTERM)
            assert daemon.process.wait(timeout=6) == 0


def test_a_backfill_by_hand_makes_good_what_failed(github: Sandbox, folder: Path) -> None:
    github.fail(times=2, path="/user*", status=404, body=b"{}")
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("schedule.run_postponed")
        assert daemon.json("/readyz")[0] == 503
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        wait_until(lambda: daemon.json("/readyz")[0] == 200)
