"""Backfills by hand against a database of any kind, several at a time, and what became of them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, make_url, select
from sqlalchemy.exc import OperationalError

from sync.database import migrate
from sync.database.store import Store
from sync.database.tables import metadata
from sync.database.writes import RunCounts
from sync.forges.github.client import GitHubClient
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import Json, execute, rows, values
from tests.support.process import COMMAND, STARTED, environment, write_config
from tests.support.runs import sync

PATIENCE = 200.0  # seconds for what a busy machine does late
POLL = threading.Event()  # never set: leaves the processor to the processes that are waited for

# What differs between two databases that were filled with the same.
_OF_ITS_OWN = {"first_seen_at", "changed_at", "observed_at", "stored_at", "last_seen_at", "run_id"}
_FILLED = (
    *("repositories", "account_repositories", "repository_changes", "repository_metrics"),
    *("page_cache", "rejected_items"),
)


@dataclass(frozen=True)
class Ended:
    """A backfill that has ended: its exit code, what it printed, and what it says it did."""

    code: int
    stdout: str
    stderr: str

    @property
    def outcome(self) -> Json:
        ((outcome),) = json.loads(self.stdout)
        return dict(outcome)

    @property
    def did(self) -> tuple[Any, ...]:
        """The status and the counts of the run."""
        return counts_of(self.outcome)

    @property
    def traceless(self) -> bool:
        """Whether no traceback was shown.

        PyMySQL leaves a socket open that nobody answers at. Where warnings are errors, as
        in these tests, the interpreter tells of that when it clears it away.
        """
        left_open = r"Exception ignored in: <socket\..*?ResourceWarning: unclosed [^\n]*"
        shown = re.sub(left_open, "", self.stdout + self.stderr, flags=re.DOTALL)
        return "Traceback" not in shown


class Backfill:
    """`repoledger backfill` of the account me, as a process, into the ledger at `url`."""

    def __init__(self, github: Sandbox, folder: Path, url: str, *options: str, **more: str) -> None:
        home = folder / uuid4().hex
        home.mkdir()
        write_config(home, github.url, extra='timeout = "300s"')
        self._files = home / "stdout", home / "stderr"
        with self._files[0].open("w") as stdout, self._files[1].open("w") as stderr:
            self.process = subprocess.Popen(
                [*COMMAND, "backfill", "--json", *options],
                cwd=home,
                env=environment(home, TOKEN=TOKEN, REPOLEDGER_DATABASE__URL=url, **more),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
            )
        STARTED.append(self.process)

    @property
    def log(self) -> str:
        return self._files[1].read_text()

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    def freeze(self) -> None:
        """Stop the process where it is, and wait until all of its threads stand still."""
        self.process.send_signal(signal.SIGSTOP)
        wait_patiently(self._stands_still)

    def _stands_still(self) -> bool:
        try:
            tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
            return all("\nState:\tT" in (task / "status").read_text() for task in tasks)
        except OSError:  # a thread that has just ended
            return False

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def end(self, patience: float = PATIENCE) -> Ended:
        """Return how it ended, once it has."""
        code = self.process.wait(timeout=patience)
        return Ended(code, *(file.read_text() for file in self._files))

    def counts(self) -> RunCounts:
        """Return what it says it did, once it has ended."""
        outcome = self.end().outcome
        return RunCounts(**{name: outcome[name] for name in RunCounts().as_dict()})


def wait_patiently(holds: Callable[[], object]) -> None:
    """Return when `holds` does; what it asks for has no other way of being waited for."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        POLL.wait(0.15)  # MariaDB shows old transactions to who asks again within 0.1 s


class Gate(threading.Event):
    """An event with another: that somebody has come to it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()


def wait_for_pages(url: str, number: int) -> None:
    """Return when the newest run has stored that many pages, and is done with the last."""
    newest = "SELECT pages FROM sync_runs ORDER BY id DESC LIMIT 1"
    wait_patiently(lambda: values(url, newest) == [(number,)])
    execute(url, "UPDATE accounts SET host = host")  # waits for the end of its transaction


@contextmanager
def held_at_page(github: Sandbox, number: int) -> Iterator[Gate]:
    """Have GitHub keep back its answer for that page until the gate is set, or the block ends."""
    gate = Gate()

    def hold(request: Any) -> None:
        if request.path == "/user/repos" and int(request.query.get("page", "1")) == number:
            gate.reached.set()
            gate.wait(PATIENCE)

    github.on_request = hold
    try:
        yield gate
    finally:
        gate.set()


# What is in a ledger


def counts_of(run: Json) -> tuple[Any, ...]:
    """Return the status and the counts of a run, from its row or from what a command printed."""
    return tuple(
        run[name] for name in ("status", "pages", "inserted", "updated", "unchanged", "rejected")
    )


def runs(url: str) -> list[tuple[Any, ...]]:
    """Return the status and the counts of each recorded run, oldest first."""
    return [counts_of(row) for row in rows(url, "SELECT * FROM sync_runs ORDER BY id")]


def effect(url: str) -> dict[str, list[Json]]:
    """Return what the runs of a ledger have brought, whenever and in however many runs."""
    return {name: sorted(_rows_alike(url, name), key=str) for name in _FILLED}


def _rows_alike(url: str, name: str) -> list[Json]:
    table = metadata.tables[name]
    numbered = {"id"} if name in ("repository_changes", "rejected_items") else set()
    kept = [column for column in table.c if column.name not in _OF_ITS_OWN | numbered]
    return rows(url, select(*kept))


def undisturbed(github: Sandbox, folder: Path, status: str = "succeeded") -> dict[str, list[Json]]:
    """Return the effect of one run that nothing happens to."""
    url = f"sqlite:///{folder / uuid4().hex}.db"
    migrate.upgrade(url)
    with Store(url) as store, GitHubClient(token=TOKEN, api_url=github.url) as client:
        assert sync(client, store).status == status
    return effect(url)


# What an administrator does


def end_sessions(url: str, which: str = "") -> int:
    """End the sessions that others have with a database; return how many there were, once gone.

    Those alone that wait for a lock, if `which` is "waiting".
    """
    kind = make_url(url).get_backend_name()
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            ids = connection.exec_driver_sql(_SESSIONS[kind + which]).scalars().all()
            for number in ids:
                with suppress(OperationalError):  # it has just gone by itself
                    connection.exec_driver_sql(_END[kind].format(number))
            ended = set(ids)
            wait_patiently(
                lambda: ended.isdisjoint(connection.exec_driver_sql(_SESSIONS[kind]).scalars())
            )
            return len(ids)
    finally:
        engine.dispose()


def waiting_sessions(url: str) -> int:
    """Return how many sessions of a database wait for what another one holds."""
    kind = make_url(url).get_backend_name()
    return len(rows(url, _SESSIONS[kind + "waiting"]))


_SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist "
    "WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}
_SESSIONS["postgresqlwaiting"] = _SESSIONS["postgresql"] + " AND wait_event_type = 'Lock'"
_SESSIONS["mysqlwaiting"] = (
    _SESSIONS["mysql"] + " AND id IN (SELECT trx_mysql_thread_id "
    "FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT')"
)
_END = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}
