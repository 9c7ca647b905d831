"""The daemon's listener: where it listens, whom it answers, what it says of a ledger in trouble."""

from __future__ import annotations

import resource
import signal
import socket
import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import PATIENCE, RunningDaemon, wait_until, write_daemon_config
from tests.support.inside.core import AddressTaken
from tests.support.inside.daemon import Answer, Listener
from tests.support.ledger import rows
from tests.support.process import repoledger


def ask(daemon: RunningDaemon, request: str) -> tuple[int, str]:
    """Send a request as it is written; return the status and all that came."""
    host, _, port = daemon.started["listen"].rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        with connection.makefile("rb") as answer:
            text = answer.read().decode()
    return int(text.split()[1]), text


def change(folder: Path, before: str, after: str) -> None:
    config = folder / "config.toml"
    config.write_text(config.read_text().replace(before, after))


# Whom it answers


def test_a_name_that_somebody_points_here_is_not_answered(folder: Path) -> None:
    change(folder, "[http]", '[http]\nnames = ["Ledger.example.com"]')
    with RunningDaemon(folder) as daemon:
        ours = ["127.0.0.1", "127.0.0.1:8787", "[::1]:80", "192.0.2.7", "localhost", "LOCALHOST.:1"]
        ours += ["ledger.example.com", "ledger.EXAMPLE.com.:80", socket.gethostname()]
        for host in ours:
            assert ask(daemon, f"GET /readyz HTTP/1.0\nHost: {host}\n\n")[0] in (200, 503), host
        assert ask(daemon, "GET /livez HTTP/1.0\n\n")[0] == 200
        assert ask(daemon, "GET http://localhost/livez HTTP/1.0\nHost: localhost\n\n")[0] == 200
        others = [
            "evil.example",
            "evil.example:8787",
            "localhost.evil.example",
            "",
            "[::1",
            "1.2.3",
        ]
        others += ["127.0.0.1.evil.example", "example.com", "localhost\nHost: evil.example"]
        for host in others:
            for path in ("/livez", "/readyz", "/metrics", "/nothing"):
                status, said = ask(daemon, f"GET {path} HTTP/1.0\nHost: {host}\n\n")
                assert status == 421, host
                assert '"' not in said
                assert "me" not in said.split("\r\n\r\n")[1].split()
        absolute = "GET http://evil.example/livez HTTP/1.0\nHost: localhost\n\n"
        assert ask(daemon, absolute)[0] == 421


# Where it listens


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "127.0.0.1"])
def test_only_the_host_of_the_listener_is_changed_by_a_reload(folder: Path, host: str) -> None:
    with RunningDaemon(folder) as daemon:
        _, _, port = daemon.started["listen"].rpartition(":")
        change(folder, "127.0.0.1:0", f"{host}:{port}")
        daemon.reload()
        assert daemon.logged("config.reloaded")[-1]["listen"].endswith(f":{port}")
        assert daemon.get("/livez")[0] == 200
        change(folder, "[http]", '[http]\nnames = ["mine"]')
        daemon.reload()
        assert ask(daemon, "GET /livez HTTP/1.0\nHost: mine\n\n")[0] == 200


def test_the_old_address_is_kept_when_the_new_one_is_another_program_s(folder: Path) -> None:
    with RunningDaemon(folder) as daemon, socket.socket() as other:
        _, _, port = daemon.started["listen"].rpartition(":")
        other.bind(("127.0.0.2", int(port)))
        other.listen()
        change(folder, "127.0.0.1:0", f"0.0.0.0:{port}")
        change(folder, 'every = "1h"', 'every = "1s"')
        daemon.send(signal.SIGHUP)
        refused = daemon.wait_for("config.refused")
        assert f"cannot listen at 0.0.0.0:{port}" in refused["message"]
        assert daemon.get("/livez")[0] == 200
        other.close()
        daemon.reload()
        assert daemon.get("/livez")[0] == 200


def test_an_address_that_cannot_be_had_at_the_start_may_be_later_and_a_wrong_one_may_not(
    folder: Path,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = "{}:{}".format(*other.getsockname())
        change(folder, "127.0.0.1:0", taken)
        in_use = repoledger("daemon", cwd=folder, TOKEN=TOKEN)
    assert in_use.returncode == 1
    assert f"http.listen: cannot listen at {taken}: Address already in use" in in_use.stderr
    change(folder, taken, "192.0.2.1:8787")  # as that of an interface that is late
    late = repoledger("daemon", cwd=folder, TOKEN=TOKEN)
    assert late.returncode == 1
    assert "http.listen: cannot listen at 192.0.2.1:8787" in late.stderr
    change(folder, "192.0.2.1:8787", "[fe80::1]:8787")  # no address without its interface
    wrong = repoledger("daemon", cwd=folder, TOKEN=TOKEN)
    assert wrong.returncode == 2
    assert "http.listen: cannot listen at fe80::1:8787" in wrong.stderr


def test_an_old_address_that_was_taken_meanwhile_is_served_again_once_it_is_free() -> None:
    class Robbed(Listener):
        def close(self) -> None:
            super().close()
            thief.bind(self.address)
            thief.listen()

    pages = {"/livez": lambda: Answer(200, "text/plain", b"well")}
    with socket.socket() as thief:
        listener = Robbed(("127.0.0.1", 0), pages)
        with pytest.raises(AddressTaken):
            listener.moved(("0.0.0.0", listener.address[1]), [])
        listener.mend()  # in vain
    listener.mend()
    with socket.create_connection(listener.address, PATIENCE) as connection:
        connection.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        with connection.makefile("rb") as answer:
            assert answer.read().endswith(b"well")
    Listener.close(listener)


# How many it serves at a time


def test_sixteen_clients_are_served_at_a_time_and_one_more_ends_the_oldest(folder: Path) -> None:
    with RunningDaemon(folder) as daemon, ExitStack() as stack:
        host, _, port = daemon.started["listen"].rpartition(":")
        clients: list[socket.socket] = []

        def come() -> None:
            client = socket.create_connection((host, int(port)), PATIENCE)
            clients.append(stack.enter_context(client))
            client.sendall(b"GET /livez HTTP/1.0\r\n")  # goes on below

        for _ in range(16):
            come()
        for client in clients[1:]:
            client.sendall(b"\r\n")
            assert client.recv(9) == b"HTTP/1.0 "
            client.close()
        for _ in range(16):
            come()
        assert clients[0].recv(9) == b""
        clients[-1].sendall(b"\r\n")
        assert clients[-1].recv(9) == b"HTTP/1.0 "


# Whether the ledger can be written


def test_the_daemon_is_not_ready_while_the_ledger_cannot_be_written(folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        # As on a full disk, no write of any length is possible.
        pid, size = daemon.process.pid, resource.RLIMIT_FSIZE
        limit = resource.prlimit(pid, size)
        resource.prlimit(pid, size, (0, limit[1]))
        status, ready = daemon.json("/readyz")
        assert (status, daemon.get("/livez")[0]) == (503, 200)
        assert "ledger.db: " in ready["database"]
        resource.prlimit(pid, size, limit)
        wait_until(lambda: daemon.get("/readyz")[0] == 200)


def test_the_daemon_is_not_ready_while_another_program_locks_the_ledger(folder: Path) -> None:
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished")
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            status, ready = daemon.json("/readyz")
        assert (status, "is locked" in ready["database"]) == (503, True)
        assert daemon.get("/readyz")[0] == 200


# Figures


def accounts(*names: str) -> str:
    return "".join(f'[[accounts]]\nname = "{name}"\ntoken_env = "TOKEN"\n' for name in names)


def test_scrapes_at_once_all_get_every_series(github: Sandbox, folder: Path) -> None:
    names = [f"a{n}" for n in range(20)]
    write_daemon_config(folder, github.url, 'every = "1h"', accounts(*names))
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=len(names))
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        wanted = {
            f'repoledger_{figure}{{account="{name}"}}'
            for figure in ("failures_in_a_row", "last_success_timestamp_seconds")
            for name in names
        }
        lacking: list[set[str]] = []

        def scrape() -> None:
            for _ in range(10):
                lines = daemon.get("/metrics")[1].splitlines()
                lacking.append(wanted - {line.rpartition(" ")[0] for line in lines})

        threads = [threading.Thread(target=scrape) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert lacking == [set()] * 80


def test_an_account_that_left_the_configuration_leaves_figures_and_status_too(
    github: Sandbox, folder: Path
) -> None:
    write_daemon_config(folder, github.url, 'every = "1h"', accounts("me", "gone"))
    with RunningDaemon(folder) as daemon:
        daemon.wait_for("sync.run_finished", times=2)
        wait_until(lambda: 'repoledger_runs_total{account="gone"' in daemon.get("/metrics")[1])
        planned = "SELECT name FROM accounts WHERE next_run_at IS NOT NULL"
        wait_until(lambda: len(rows(folder / "ledger.db", planned)) == 2)
        write_daemon_config(folder, github.url, 'every = "1h"', accounts("me"))
        daemon.reload()
        figures = daemon.get("/metrics")[1]
        assert '"gone"' not in figures
        assert 'repoledger_runs_total{account="me"' in figures
        assert rows(folder / "ledger.db", planned) == [("me",)]
