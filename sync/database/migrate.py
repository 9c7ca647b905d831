"""Bringing a database's schema up to what the program needs.

The migrations are Alembic's, in `migrations/` at the top of the project, and
inside the package when it is installed. Looking whether there is anything to
do reads one row; Alembic, which is slow to import, is loaded only to do it.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import Connection, inspect, text

from sync.database.dialects import VERSION_TABLE, dialect_of
from sync.database.failures import translated
from sync.database.tables import metadata
from sync.errors import DatabaseUnusable, SchemaMissing, SchemaOutdated, SchemaTooNew

State = Literal["missing", "outdated", "current", "newer"]
# Of the names that a ledger needs, those of views.
VIEWS = ("current_repositories", "latest_runs", "repository_daily")


class Upgrade(NamedTuple):
    """What an upgrade did: the revisions before and after, and where a copy of before is."""

    before: str | None
    after: str
    copy: Path | None = None


def folder() -> Path:
    """Return where the migrations are."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return every revision that this program knows, oldest first."""
    return tuple(sorted(f.name[:4] for f in (folder() / "versions").glob("[0-9]*.py")))


def revision(connection: Connection) -> str | None:
    """Return the revision that a database is at; None if it holds no ledger.

    Raises DatabaseUnusable if there is none, and the names that one needs are taken.
    """
    inspector = inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        _refuse_others_tables({*inspector.get_table_names(), *inspector.get_view_names()})
        return None
    row = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).first()  # noqa: S608  # our own name
    return str(row[0]) if row else None


def _refuse_others_tables(present: set[str]) -> None:
    taken = sorted({name.lower() for name in present} & {*metadata.tables, *VIEWS})
    if taken:
        raise DatabaseUnusable(
            f"the database holds tables or views of somebody else's with the names of ours "
            f"({', '.join(taken)}); use another database for the ledger"
        )


def state_of(current: str | None) -> State:
    """Compare a database's revision with the program's."""
    if current is None:
        return "missing"
    if current not in revisions():
        return "newer"
    return "current" if current == revisions()[-1] else "outdated"


def require_current(current: str | None, where: str) -> None:
    """Raise SchemaMissing, SchemaOutdated or SchemaTooNew unless the schema is the program's."""
    match state_of(current):
        case "missing":
            raise SchemaMissing(
                f"{where}: there is no ledger yet; `repoledger migrate` makes one, "
                "`repoledger backfill` fills it"
            )
        case "outdated":
            raise SchemaOutdated(
                f"{where}: its schema {current} is older than this program's {revisions()[-1]}; "
                "run `repoledger migrate`"
            )
        case "newer":
            raise SchemaTooNew(
                f"{where}: its schema {current} is newer than this program's {revisions()[-1]}; "
                "install a newer repoledger"
            )
        case "current":
            pass


def check(url: str) -> str | None:
    """Return the revision of the database at `url`, None if there is none yet, without writing.

    Raises DatabaseUnusable.
    """
    dialect = dialect_of(url)
    if not dialect.exists():
        return None
    where, engine = dialect.where, dialect.reading_engine()
    try:
        with translated(where), engine.connect() as connection:
            return revision(connection)
    finally:
        engine.dispose()


def upgrade(url: str, stop: threading.Event | None = None) -> Upgrade:
    """Bring the database at `url` up to date, made first if there is none.

    Safe from several processes at once: one of them holds a lock before it looks. A
    SQLite file that holds an older ledger is copied first. Setting `stop`
    shortens the wait for the lock. Raises SchemaTooNew, DatabaseUnusable, Interrupted.
    """
    dialect = dialect_of(url)
    where, engine = dialect.where, dialect.writing_engine(stop, create=True)
    try:
        with (
            translated(where),
            engine.begin() as connection,
            dialect.migration_lock(connection),
        ):
            before, copy = revision(connection), None
            match state_of(before):
                case "newer":
                    require_current(before, where)
                case "outdated":
                    with dialect.kept_copy(str(before), stop) as copy:
                        _run_alembic(connection)
                case "missing":
                    _run_alembic(connection)
        return Upgrade(before, revisions()[-1], copy)
    finally:
        engine.dispose()


def prepare(url: str, mode: str, stop: threading.Event | None = None) -> None:
    """Make sure that the schema is current: migrate, or with mode "manual" refuse."""
    if mode == "auto":
        _log_upgrade(upgrade(url, stop), dialect_of(url).where)
    else:
        require_current(check(url), dialect_of(url).where)


def _log_upgrade(done: Upgrade, where: str) -> None:
    if done.before in (None, done.after):  # a new ledger is what a first run is about
        return
    from sync.loggers import get_logger

    log = get_logger("sync.database")
    # Somebody has to know of a copy, and to delete it some day.
    tell = log.warning if done.copy else log.info
    copy = str(done.copy) if done.copy else None
    tell("schema.migrated", database=where, before=done.before, after=done.after, copy=copy)


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
