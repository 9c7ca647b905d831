"""Migrates a database's schema to the version of this program.

The migrations are Alembic's, in `migrations/` at the top of the project, and inside the
package when it is installed. A check reads one row; Alembic, which is slow to import, is
loaded only for a migration.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import Connection, inspect

from sync.core.errors import (
    DatabaseUnusable,
    SchemaMissing,
    SchemaOutdated,
    SchemaTooNew,
)
from sync.database.dialects import VERSION_TABLE, dialect_of
from sync.database.failures import translated
from sync.database.tables import metadata

State = Literal["missing", "outdated", "current", "newer"]
READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  # our own name
# The views of a ledger.
VIEWS = (
    *("current_repositories", "latest_runs", "repository_daily"),
    *("traffic_daily", "star_totals", "downloads_daily", "repository_growth"),
)


class Upgrade(NamedTuple):
    """An upgrade: the revisions before and after, and the path of the copy made before it."""

    before: str | None
    after: str
    copy: Path | None = None


def folder() -> Path:
    """Return the folder of the migrations."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Return every revision that this program knows, oldest first."""
    return tuple(sorted(f.name[:4] for f in (folder() / "versions").glob("[0-9]*.py")))


def revision(connection: Connection) -> str | None:
    """Return the revision of a database; None if it holds no ledger.

    Raises DatabaseUnusable if it holds no ledger, but tables with the ledger's names.
    """
    inspector = inspect(connection)
    if not inspector.has_table(VERSION_TABLE):
        _refuse_others_tables({*inspector.get_table_names(), *inspector.get_view_names()})
        return None
    row = connection.exec_driver_sql(READ_VERSION).first()
    return str(row[0]) if row else None


def _refuse_others_tables(present: set[str]) -> None:
    taken = sorted({name.lower() for name in present} & {*metadata.tables, *VIEWS})
    if taken:
        raise DatabaseUnusable(
            f"the database holds tables or views of another program with the names of a ledger's "
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
    """Return the revision of the database at `url`, None without a ledger; does not write.

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


def upgrade(url: str, stop: threading.Event | None = None, *, to: str | None = None) -> Upgrade:
    """Migrate the database at `url` to the newest schema; create the ledger if there is none.

    `to`: the schema of a new ledger, if not the newest.

    Safe from several processes at once, by a lock. A SQLite file with an older ledger is
    copied first. Setting `stop` ends the wait for the lock. Raises SchemaTooNew,
    DatabaseUnusable, Interrupted.
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
                    _run_alembic(connection, to or "head")
        return Upgrade(before, revisions()[-1], copy)
    finally:
        engine.dispose()


def prepare(url: str, mode: str, stop: threading.Event | None = None) -> None:
    """Make sure that the schema is current: migrate, or raise if `mode` is "manual"."""
    if mode == "auto":
        _log_upgrade(upgrade(url, stop), dialect_of(url).where)
    else:
        require_current(check(url), dialect_of(url).where)


def _log_upgrade(done: Upgrade, where: str) -> None:
    if done.before in (None, done.after):  # a new ledger needs no message
        return
    from structlog import get_logger

    log = get_logger("sync.database")
    # A warning if there is a copy, which the user has to delete some day.
    tell = log.warning if done.copy else log.info
    copy = str(done.copy) if done.copy else None
    tell("schema.migrated", database=where, before=done.before, after=done.after, copy=copy)


def _run_alembic(connection: Connection, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
