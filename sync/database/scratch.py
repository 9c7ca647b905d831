"""A scratch copy of the ledger for a dry run, which records the changes written to it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    and_,
    delete,
    literal_column,
    select,
)

from sync.core.errors import DatabaseUnusable
from sync.core.shutdown import temporary_folder
from sync.database import migrate
from sync.database.changelog import ACCOUNT
from sync.database.compare import snapshot
from sync.database.copy import fill
from sync.database.dialects import dialect_of
from sync.database.failures import translated
from sync.database.tables import (
    FIELDS,
    account_repositories,
    accounts,
    departures,
    page_cache,
    rejected_items,
    repositories,
    repository_changes,
    sync_runs,
)
from sync.database.writes import Change

# The columns of a repository that are compared.
COMPARED = (*FIELDS, "removed_at", "removal_reason")
_NAME = COMPARED.index("full_name")

# Tables that a run reads; of a server's ledger, no others are copied.
_READ = (accounts, repositories, account_repositories, departures, sync_runs, page_cache)

# Repositories as they were before the first write; of an inserted one, the key alone.
_noted = Table(
    "noted_repositories",
    MetaData(),
    *(Column(name, repositories.c[name].type) for name in ("host", "id", *COMPARED)),
    PrimaryKeyConstraint("host", "id"),
)


class Written(NamedTuple):
    """A repository that was written, or is listed by other accounts than before.

    `before`, `now`: its values in the order of `COMPARED`; None without a row. `lists`: the
    accounts that began or ceased to list it; empty for a new repository.
    """

    host: str
    id: int
    before: tuple[Any, ...] | None
    now: tuple[Any, ...] | None
    lists: tuple[Change, ...]


class ScratchLedger:
    """A scratch ledger in `file`. Triggers save each repository before its first write."""

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"
        self._where = str(file)
        self._engine = dialect_of(self.url).writing_engine()
        with translated(self._where), self._engine.begin() as connection:
            _noted.create(connection)
            for statement in _triggers():
                connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def written(self, run_id: int, besides: Iterable[tuple[str, int]] = ()) -> Iterator[Written]:
        """Yield the repositories that the last run, `run_id`, wrote, in the order of the writes.

        `besides`: further repositories, by host and id. Raises DatabaseError.
        """
        log, table = repository_changes.c, repositories.c
        moves = select(log.host, log.repository_id, log.field, log.old_value, log.new_value)
        moves = moves.where(log.run_id == run_id, log.field == ACCOUNT).order_by(log.id)
        key = and_(table.host == _noted.c.host, table.id == _noted.c.id)
        columns = [of[name] for of in (_noted.c, table) for name in COMPARED]
        both = select(_noted.c.host, _noted.c.id, *columns)
        both = both.join_from(_noted, repositories, key, isouter=True)
        with translated(self._where), self._engine.begin() as connection:
            lists: dict[tuple[str, int], tuple[Change, ...]] = {}
            for host, id_, *change in connection.execute(moves):
                lists[host, id_] = (*lists.get((host, id_), ()), Change(*change))
            if keys := [*lists, *besides]:
                connection.exec_driver_sql(_NOTE, keys)
            in_order = both.order_by(literal_column("noted_repositories.rowid"))
            for host, id_, *values in connection.execute(in_order):
                before, now = tuple(values[: len(COMPARED)]), tuple(values[len(COMPARED) :])
                yield Written(host, id_, _row(before), _row(now), lists.get((host, id_), ()))
            connection.execute(delete(_noted))

    def rejected(self, run_id: int) -> list[str]:
        """Return the reasons of the run's rejected items. Raises DatabaseError."""
        item = rejected_items.c
        reasons = select(item.reason).where(item.run_id == run_id).order_by(item.position, item.id)
        with translated(self._where), self._engine.begin() as connection:
            return list(connection.execute(reasons).scalars())


@contextmanager
def scratch_ledger(url: str, stop: threading.Event) -> Iterator[ScratchLedger]:
    """Yield a copy of the ledger at `url`; an empty one if there is none.

    From a server it is copied without history. The copy is in a temporary folder that only this
    user can read, and is removed at the end. Copying blocks no other process. Raises
    DatabaseUnusable, SchemaOutdated, SchemaTooNew, DatabaseError; Interrupted once `stop` is
    set.
    """
    with ExitStack() as held:
        reason = None
        try:
            file = held.enter_context(temporary_folder("repoledger-dry-run-")) / "ledger.db"
            file.touch(mode=0o600)
            _copy(url, file, stop)
        except OSError as error:
            reason = error.strerror or str(error)
        except sqlite3.Error as error:
            reason = str(error)
        if reason is not None:
            raise DatabaseUnusable(
                f"the ledger cannot be copied for the dry run: {reason}; make room in the folder "
                "for temporary files, or name another one in TMPDIR"
            )
        scratch = ScratchLedger(file)
        held.callback(scratch.close)
        yield scratch


def _copy(url: str, file: Path, stop: threading.Event) -> None:
    target = f"sqlite:///{file}"
    if migrate.check(url) is None:
        migrate.upgrade(target, stop)
        return
    with snapshot(url, stop) as source:
        if not source.dialect.copy_file(source.connection, file, stop):
            fill(source, target, _READ, stop)


def _row(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    return values if values[_NAME] is not None else None


def _names(*columns: str, of: str = "") -> str:
    return ", ".join(f'{of}"{column}"' for column in columns)


# Saves a repository's present values, unless earlier ones are saved already.
_NOTE = (
    f"INSERT OR IGNORE INTO noted_repositories ({_names('host', 'id', *COMPARED)}) "  # noqa: S608  # our own names
    f"SELECT {_names('host', 'id', *COMPARED)} FROM repositories WHERE host = ? AND id = ?"
)


def _triggers() -> Iterator[str]:
    for event, row in (("INSERT", "new"), ("UPDATE", "old"), ("DELETE", "old")):
        columns = ("host", "id") if event == "INSERT" else ("host", "id", *COMPARED)
        # No INSERT OR IGNORE: the conflict clause of the statement that fires a trigger wins.
        yield (
            f"CREATE TRIGGER noted_{event} AFTER {event} ON repositories WHEN NOT EXISTS "  # noqa: S608  # our own names
            f"(SELECT 1 FROM noted_repositories WHERE host = {row}.host AND id = {row}.id) BEGIN "
            f"INSERT INTO noted_repositories ({_names(*columns)}) "
            f"VALUES ({_names(*columns, of=f'{row}.')}); END"
        )
