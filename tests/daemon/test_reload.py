"""A reload to another ledger: a run that is about to begin belongs to the one or to the other."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import PATIENCE, wait_until, write_daemon_config
from tests.support.inside.config import load
from tests.support.inside.core import utc_now
from tests.support.inside.daemon import Daemon
from tests.support.ledger import rows
from tests.support.runs import fill

_ACCOUNT = '[[accounts]]\nname = "{}"\ntoken_env = "TOKEN"\n'


class _Gate:
    """The time of day, for which the first run waits until the gate is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self) -> datetime:
        if threading.current_thread().name.startswith("sync_") and not self.reached.is_set():
            self.reached.set()
            self.opened.wait(PATIENCE)
        return utc_now()


def test_an_account_that_a_reload_takes_out_is_not_written_into_the_new_ledger(
    github: Sandbox, tmp_path: Path
) -> None:
    fill(github, 3)
    config, gate = tmp_path / "config.toml", _Gate()
    write_daemon_config(tmp_path, github.url, 'every = "1h"', _ACCOUNT.format("before"))
    environ = {"TOKEN": TOKEN}
    daemon = Daemon(lambda: load(config, environ), environ, heartbeat=3_600, clock=gate)
    daemon.start()
    try:
        assert gate.reached.wait(PATIENCE)  # the run of `before` has begun
        write_daemon_config(tmp_path, github.url, 'every = "1h"', _ACCOUNT.format("after"))
        config.write_text(config.read_text().replace("ledger.db", "second.db"))
        daemon.reload()
        gate.opened.set()
        ended = "SELECT account FROM sync_runs WHERE finished_at IS NOT NULL ORDER BY account"
        wait_until(lambda: ("after",) in rows(tmp_path / "second.db", ended))
    finally:
        gate.opened.set()
        assert daemon.stop()
    assert rows(tmp_path / "second.db", ended) == [("after",)]
    assert rows(tmp_path / "second.db", "SELECT name FROM accounts") == [("after",)]
