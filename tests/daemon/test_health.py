"""How the daemon says how it is doing: over HTTP, to the service manager, by pings, in status."""

from __future__ import annotations

import json
import re
import socket
import threading
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import (
    PATIENCE,
    RunningDaemon,
    ServiceManager,
    wait_until,
    write_daemon_config,
)
from tests.support.fault_server import FaultServer, answer
from tests.support.process import on_terminal, repoledger

WRONG = "ghp_" + "w0" * 18


@pytest.fixture
def ten(github: Sandbox, tmp_path: Path) -> Path:
    """A folder with ten accounts: one with a wrong token, one whose server answers 500."""
    github.add_repository("octo", "hello")
    github.fail(times=10_000, status=500, path="/users/broken*")
    identities = {f"good-{n}": 'token_env = "TOKEN"' for n in range(8)}
    identities |= {"wrong": 'token_env = "WRONG"', "broken": 'username = "broken"'}
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\n{identity}\n' for name, identity in identities.items()
    )
    write_daemon_config(tmp_path, github.url, 'every = "1s"\nmax_age = "1m"', accounts)
    return tmp_path


def metrics_of(daemon: RunningDaemon) -> dict[str, float]:
    status, text = daemon.get("/metrics")
    assert status == 200
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_of_ten_accounts_the_two_that_fail_are_named_and_the_others_stay_on_schedule(
    ten: Path,
) -> None:
    with RunningDaemon(ten, WRONG=WRONG) as daemon:
        for n in range(8):
            daemon.wait_for("sync.run_finished", account=f"good-{n}", times=3)
        daemon.wait_for("schedule.run_postponed", account="wrong")
        daemon.wait_for("schedule.run_postponed", account="broken")
        status, ready = daemon.json("/readyz")
        figures = metrics_of(daemon)
        # Each is tried again after a minute, and is `running` then.
        wait_until(lambda: failing_in(ten) == {"wrong": "BadCredentials", "broken": "ServerError"})
        wait_until(
            lambda: re.search(
                r"^wrong: failed \d+ times in a row: GET",
                repoledger("status", cwd=ten).stdout,
                re.MULTILINE,
            )
        )
    assert (status, sorted(ready["problems"])) == (503, ["broken", "wrong"])
    assert "401: Bad credentials" in ready["problems"]["wrong"]
    assert "500" in ready["problems"]["broken"]
    assert figures['repoledger_last_error{account="wrong",error_type="BadCredentials"}'] == 1
    assert figures['repoledger_last_error{account="broken",error_type="ServerError"}'] == 1
    assert figures['repoledger_failures_in_a_row{account="good-0"}'] == 0


def failing_in(folder: Path) -> dict[str, str]:
    """Return the accounts that `status` calls failing, and with what."""
    rows = json.loads(repoledger("status", "--json", cwd=folder).stdout)
    return {row["account"]: row["error_type"] for row in rows if row["failures"]}


def test_an_account_without_its_token_is_told_of_and_the_others_go_on(
    github: Sandbox, folder: Path
) -> None:
    accounts = "".join(
        f'[[accounts]]\nname = "{n}"\ntoken_env = "{v}"\n' for n, v in (("a", "TOKEN"), ("b", "B"))
    )
    write_daemon_config(folder, github.url, 'every = "1h"', accounts)
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", account="a")
        daemon.wait_for("schedule.run_postponed", account="b")
        wait_until(lambda: len(daemon.json("/readyz")[1]["problems"]) == 1)
        ready = daemon.json("/readyz")[1]
        shown = repoledger("status", cwd=folder).stdout
    assert ready["problems"] == {
        "b": "never synced: account b: the environment variable B is not set"
    }
    assert "b: account b: the environment variable B is not set" in shown


def test_the_figures_say_what_the_runs_did(github: Sandbox, folder: Path) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    # What would put the figures into files is not read.
    with RunningDaemon(folder, PROMETHEUS_MULTIPROC_DIR=str(folder / "nowhere")) as daemon:
        daemon.wait_for("sync.run_finished", times=2)
        daemon.wait_for("sync.run_finished", times=3)  # so that the second is counted whole
        figures = metrics_of(daemon)
        last = daemon.logged("sync.run_finished")[-1]
    assert figures['repoledger_runs_total{account="me",status="succeeded"}'] >= 2
    assert figures['repoledger_items_total{account="me",outcome="inserted"}'] == 3
    assert figures['repoledger_items_total{account="me",outcome="unchanged"}'] >= 3
    assert figures['repoledger_requests_total{account="me",status="304"}'] >= 2
    # Who it is, the page, and the one behind it, which is empty.
    assert figures['repoledger_requests_total{account="me",status="200"}'] == 3
    assert figures['repoledger_wait_seconds_total{account="me"}'] == 0
    remaining = figures['repoledger_rate_limit_remaining{account="me"}']
    assert remaining == last["rate_limit_remaining"]
    assert figures['repoledger_last_success_timestamp_seconds{account="me"}'] > 1.7e9
    assert figures['repoledger_run_duration_seconds_count{account="me"}'] >= 2
    assert figures["process_resident_memory_bytes"] > 0


def test_the_daemon_is_alive_before_it_is_ready(github: Sandbox, folder: Path) -> None:
    github.delay = 60.0
    with RunningDaemon(folder) as daemon:
        assert daemon.json("/livez")[0] == 200
        assert daemon.json("/readyz") == (
            503,
            {"status": "not ok", "database": "ok", "accounts": 1}
            | {"problems": {"me": "never synced"}},
        )


def test_the_daemon_is_not_ready_without_its_database(folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        (folder / "ledger.db").rename(folder / "elsewhere.db")
        status, ready = daemon.json("/readyz")
        assert status == 503
        assert "there is no ledger yet" in ready["database"]
        assert daemon.get("/livez")[0] == 200


def test_the_daemon_is_not_ready_when_the_last_success_is_too_old(
    github: Sandbox, folder: Path
) -> None:
    repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    write_daemon_config(
        folder, github.url, 'cron = "0 0 1 1 *"\nrun_at_start = false\nmax_age = "0s"'
    )
    with RunningDaemon(folder) as daemon:
        status, ready = daemon.json("/readyz")
        assert status == 503
        assert ready["problems"]["me"].startswith("last synced at ")


def test_other_paths_say_what_there_is(folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        status, text = daemon.get("/../etc/passwd")
        assert (status, text) == (404, "No such page. Pages: /livez /readyz /metrics\n")


def test_clients_that_say_nothing_take_nothing_away(folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        host, _, port = daemon.started["listen"].rpartition(":")
        silent = [socket.create_connection((host, int(port))) for _ in range(40)]
        try:
            for connection in silent[16:]:  # turned away
                connection.settimeout(PATIENCE)
                assert connection.recv(1) == b""
        finally:
            for connection in silent:
                connection.close()
        daemon.wait_for("sync.run_finished")


# The command health


def test_health_tells_by_its_exit_code(github: Sandbox, folder: Path) -> None:
    config = folder / "config.toml"
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        config.write_text(config.read_text().replace("127.0.0.1:0", daemon.started["listen"]))
        alive = repoledger("health", cwd=folder)
        assert (alive.returncode, json.loads(alive.stdout)["status"]) == (0, "ok")
        assert repoledger("health", "--ready", cwd=folder).returncode == 0
        (folder / "ledger.db").rename(folder / "elsewhere.db")
        assert repoledger("health", cwd=folder).returncode == 0
        assert repoledger("health", "--ready", cwd=folder).returncode == 1
    gone = repoledger("health", cwd=folder)
    assert gone.returncode == 1
    assert "the daemon does not answer" in gone.stdout
    config.write_text(config.read_text().replace(daemon.started["listen"], ""))
    off = repoledger("health", cwd=folder)
    assert (off.returncode, "no address for health checks" in off.stderr) == (2, True)


# The service manager


def test_the_service_manager_is_told_how_it_goes(folder: Path, tmp_path: Path) -> None:
    with ServiceManager(tmp_path) as manager:
        with RunningDaemon(folder, NOTIFY_SOCKET=manager.address) as daemon:
            assert manager.wait_for("READY=1").endswith("STATUS=syncing 1 accounts")
            manager.wait_for("WATCHDOG=1")
            daemon.reload()
            assert "MONOTONIC_USEC=" in manager.wait_for("RELOADING=1")
            manager.wait_for("READY=1")
        manager.wait_for("STOPPING=1")


# Pings


def test_good_and_bad_runs_are_pinged_and_the_addresses_stay_secret(
    github: Sandbox, folder: Path
) -> None:
    with FaultServer(answer()) as watcher:
        pings = f'[ping]\nsuccess_url = "{watcher.url}/good/s3cret-of-mine"\n'
        pings += f'failure_url = "{watcher.url}/bad/s3cret-of-mine"\n'
        write_daemon_config(folder, github.url, f'every = "1s"\n{pings}')
        github.fail(times=2, path="/user*", status=404, body=b"{}")
        with RunningDaemon(folder, "--log-level", "debug") as daemon:
            daemon.wait_for("sync.run_failed")
            daemon.wait_for("sync.run_finished", times=3)
        targets = [request.target for request in watcher.requests]
    assert targets[0] == "/bad/s3cret-of-mine"
    assert set(targets[1:]) == {"/good/s3cret-of-mine"}
    assert "s3cret-of-mine" not in json.dumps(daemon.events)


def test_no_success_is_pinged_while_another_account_is_failing(
    github: Sandbox, folder: Path
) -> None:
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n{more}'
        for name, variable, more in (
            ("wrong", "WRONG", ""),
            ("me", "TOKEN", ""),
            ("own", "TOKEN", 'ping_success_url = "URL/own"\n'),
        )
    )
    with FaultServer(answer()) as watcher:
        pings = f'[ping]\nsuccess_url = "{watcher.url}/all-is-well"\n'
        accounts = accounts.replace("URL", watcher.url)
        write_daemon_config(folder, github.url, f'every = "1s"\nconcurrency = 1\n{pings}', accounts)
        with RunningDaemon(folder, WRONG=WRONG) as daemon:
            daemon.wait_for("sync.run_finished", times=3, account="own")
        assert {request.target for request in watcher.requests} == {"/own"}


def test_a_watcher_that_does_not_answer_delays_no_run(github: Sandbox, folder: Path) -> None:
    with FaultServer(lambda peer: peer.hold()) as watcher:
        ping = f'[ping]\nsuccess_url = "{watcher.url}/slow"\n'
        write_daemon_config(folder, github.url, f'every = "1s"\n{ping}')
        with RunningDaemon(folder) as daemon:
            daemon.wait_for("sync.run_finished", times=4)
        assert daemon.logged("schedule.run_missed") == []


# The command status


def test_status_tells_of_the_page_in_hand_and_of_the_next_run(
    github: Sandbox, folder: Path
) -> None:
    for n in range(247):
        github.add_repository("octo", f"more-{n}")
    second_page, go_on = threading.Event(), threading.Event()

    def hold(request: object) -> None:
        if getattr(request, "query", {}).get("page") == "2":
            second_page.set()
            go_on.wait(PATIENCE)

    github.on_request = hold
    with RunningDaemon(folder, "--log-level", "debug") as daemon:
        daemon.wait_for("sync.page_stored")
        assert second_page.wait(PATIENCE)
        running = repoledger("status", cwd=folder).stdout
        go_on.set()
        daemon.wait_for("sync.run_finished")
        daemon.reload()
        done = repoledger("status", cwd=folder).stdout
        on_80 = on_terminal("status", cwd=folder, columns=80)
    assert "page 1 of 3" in running
    assert "in 59 min" in done
    assert max(map(len, on_80.splitlines())) <= 80
    assert "in 59 min" not in repoledger("status", cwd=folder).stdout  # nobody is there to do it


def test_status_tells_of_a_wait_for_quota_within_a_run(github: Sandbox, folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace('max_wait = "0s"', 'max_wait = "2h"'))
    github.fail(times=9, path="/user*", status=429, headers={"Retry-After": "50"}, body=b"{}")
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("rate_limit.waiting")
        shown = repoledger("status", cwd=folder).stdout
    assert "waits until" in shown
    assert "me: waiting for quota until 20" in shown
