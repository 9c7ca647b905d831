"""A daemon whose ledger is on a database server, which may come and go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sync.sandbox import Sandbox
from tests.support.cutting import CuttingLine
from tests.support.daemon import RunningDaemon, ServiceManager, wait_until, write_daemon_config
from tests.support.ledger import rows, value
from tests.support.servers import Server, own_server, with_password

pytestmark = pytest.mark.slow

PASSWORD = "-".join(["a", "secret", "of", "the", "ledger"])  # a failure shows source lines


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Yield a server of this test's own."""
    server = own_server(request.param)
    yield server
    server.stop(gently=False)


@pytest.mark.matrix("database.failover")
def test_a_daemon_goes_on_when_its_database_server_has_come_back(
    github: Sandbox, folder: Path, server: Server
) -> None:
    write_daemon_config(folder, github.url, 'every = "1h"')
    url = with_password(server, PASSWORD)
    with RunningDaemon(folder, REPOLEDGER_DATABASE__URL=url) as daemon:
        daemon.wait_for("sync.run_finished")
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        server.stop(gently=False)
        wait_until(lambda: daemon.get("/readyz")[0] == 503)
        assert daemon.get("/livez")[0] == 200
        server.start()
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        github.add_repository("octo", "one-more")
        write_daemon_config(folder, github.url, 'every = "1s"')
        daemon.reload()
        daemon.wait_for("sync.run_finished", inserted=1)
    assert value(url, "SELECT count(*) FROM repositories") == 4
    assert {row[0] for row in rows(url, "SELECT status FROM sync_runs")} <= {
        *("succeeded", "interrupted")  # the last one, by the stop
    }
    assert PASSWORD not in str(daemon.events)


def test_a_daemon_stops_at_once_though_its_database_server_is_gone(
    github: Sandbox, folder: Path, server: Server
) -> None:
    write_daemon_config(folder, github.url, 'every = "1s"')
    url = with_password(server, PASSWORD)
    with RunningDaemon(folder, REPOLEDGER_DATABASE__URL=url) as daemon:
        daemon.wait_for("sync.run_finished")
        server.stop(gently=False)
        daemon.wait_for("schedule.run_postponed")
        assert daemon.stop() == 0
    assert PASSWORD not in str(daemon.events)


def test_a_heartbeat_needs_no_new_connection_and_no_answer_of_the_database(
    github: Sandbox, folder: Path, server: Server
) -> None:
    url = with_password(server, PASSWORD)
    with (
        TemporaryDirectory(prefix="repoledger-") as short,
        CuttingLine(url, Path(short), b"never said", at_commit=False, times=0) as line,
        ServiceManager(folder) as manager,
        RunningDaemon(
            folder, REPOLEDGER_DATABASE__URL=line.url, NOTIFY_SOCKET=manager.address
        ) as daemon,
    ):
        wait_until(lambda: daemon.get("/readyz")[0] == 200)
        manager.wait_for("WATCHDOG=1", times=2)
        made = line.connections
        manager.wait_for("WATCHDOG=1", times=3)
        assert daemon.get("/readyz")[0] == 200
        assert line.connections == made
        line.stall()
        manager.wait_for("WATCHDOG=1", times=4)  # more would be missing than /livez allows
        assert daemon.get("/livez")[0] == 200
