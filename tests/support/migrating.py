"""Migrations to a revision, migrations that die, and what a schema looks like."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, event, inspect, make_url

from sync.database import migrate
from sync.database.dialects import VERSION_TABLE, dialect_of
from sync.database.store import Store
from sync.database.writes import PageEntry, RunCounts
from tests.support.database import HOST, execute, repository, store_page, users_engine, values
from tests.support.database_processes import Child, spawned

_PATIENCE = 90  # seconds that one migration may take before its process is ended
# What Python tells of the files that a process is about to use, or to give another name.
_FILE_EVENTS = {"open", "os.rename", "os.remove", "os.chmod", "os.chown", "sqlite3.connect"}


def migrate_to(url: str, revision: str) -> None:
    """Bring a database to a revision, as the program that was its newest did."""
    config = Config()
    config.set_main_option("script_location", str(migrate.folder()))
    engine = dialect_of(url).writing_engine(create=True)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def old_ledger(url: str) -> None:
    """Make a ledger at the first revision, with rows, and with things of its user's."""
    migrate_to(url, "0001")
    execute(
        url,
        "INSERT INTO accounts (name, host, generation) VALUES ('old', 'github.com', 3)",
        "ALTER TABLE accounts ADD COLUMN note VARCHAR(50)",
        "UPDATE accounts SET note = 'keep me'",
        "CREATE TABLE my_table (x INTEGER)",
        "CREATE INDEX my_index ON my_table (x)",
        "INSERT INTO my_table VALUES (5)",
        "CREATE VIEW my_view AS SELECT name, note FROM accounts",
    )


def assert_old_rows_kept(url: str) -> None:
    rows = values(url, "SELECT name, generation, note FROM accounts WHERE name = 'old'")
    assert rows == [("old", 3, "keep me")]
    assert values(url, "SELECT * FROM my_view WHERE note IS NOT NULL") == [("old", "keep me")]
    assert values(url, "SELECT x FROM my_table") == [(5,)]


def assert_usable(url: str) -> None:
    """Have the program work with a ledger: start a run, store a page, finish, forget the page."""
    with Store(url) as store:
        run = store.start_run("me", HOST, "backfill")
        assert store_page(store, run, repository(1), repository(2, "octo/two")).counts == (2, 0, 0)
        entry = PageEntry("k", '"etag"', (1, 2), 2, None)
        store.transact(run, lambda page: page.remember_page(entry))
        counts = RunCounts(pages=1, inserted=2)
        store.finish_run(run, status="succeeded", counts=counts, complete=True, keep_pages=())


def schema_of(url: str) -> dict[str, Any]:
    """Return all that the database tells of its tables and views, to be compared."""
    name = make_url(url).database or ""
    with users_engine(url) as engine, engine.connect() as connection:
        found = inspect(connection)
        tables = {table: _described(found, table) for table in found.get_table_names()}
        views = {
            view: (found.get_view_definition(view) or "").replace(f"`{name}`.", "")
            for view in found.get_view_names()
        }
    at = values(url, f"SELECT version_num FROM {VERSION_TABLE}")
    return {"tables": tables, "views": views, "revision": at}


def _described(found: Any, table: str) -> dict[str, Any]:
    columns = [
        (column["name"], str(column["type"]), column["nullable"], column.get("default"))
        for column in found.get_columns(table)
    ]
    rules = (found.get_foreign_keys, found.get_indexes, found.get_unique_constraints)
    return {
        "columns": columns,
        "key": str(found.get_pk_constraint(table)),
        "rules": [sorted(map(_told, rule(table))) for rule in rules],
        "options": found.get_table_options(table),
    }


def _told(rule: Mapping[str, Any]) -> str:
    """Return what a rule is as text; of a condition, its words."""
    options = {name: str(value) for name, value in rule.get("dialect_options", {}).items()}
    return str({**rule, "dialect_options": options})


# Processes that die


class Mortal:
    """A process that migrates in forks of its own, each of which kills itself somewhere."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def killed(self, url: str, moment: str, number: int) -> bool:
        """Migrate, and die at a moment: "before" or "after" statement `number`, or at a "file".

        Tells whether it came to that: the migration was done first, if not.
        """
        self._child.send((url, moment, number))
        code = self._child.receive()
        assert code in (0, -signal.SIGKILL), code
        return bool(code)


@contextmanager
def mortal() -> Iterator[Mortal]:
    with spawned(_migrates_in_forks) as child:
        yield Mortal(child)


def _migrates_in_forks(pipe: Any) -> None:
    while True:
        url, moment, number = pipe.recv()
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(_PATIENCE)
                _die_at(moment, number, url)
                migrate.upgrade(url)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        pipe.send(os.waitstatus_to_exitcode(status))


def _die_at(moment: str, number: int, url: str) -> None:
    die = _nth(number)
    if moment == "before":
        event.listen(Engine, "before_cursor_execute", die)
    elif moment == "after":
        event.listen(Engine, "after_cursor_execute", die)
    else:
        name = Path(url.removeprefix("sqlite:///")).name

        def hear(what: str, arguments: tuple[Any, ...]) -> None:
            if what in _FILE_EVENTS and any(name in str(value) for value in arguments):
                die()

        sys.addaudithook(hear)


def _nth(number: int) -> Callable[..., None]:
    """Return what ends the process the hard way when it is called for the nth time."""
    count = 0

    def die(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return die
