"""Reads an export into a database that has no ledger yet, or one without rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, Table, inspect, literal_column, select

from sync.core.errors import ConfigError, DatabaseError, DatabaseUnusable, Interrupted
from sync.database import migrate
from sync.database.compare import TABLES, Row, Snapshot
from sync.database.dialects import Dialect, dialect_of
from sync.database.export_format import (
    FILES,
    MANIFEST,
    Manifest,
    decoder_of,
    encoder_of,
    manifest_of,
)
from sync.database.failures import translated
from sync.database.tables import metadata

_AT_A_TIME = 500  # rows in a statement


def import_(
    folder: Path, url: str, stop: threading.Event, told: Callable[[int, int], object]
) -> dict[str, int]:
    """Read the export in `folder` into the database at `url`; return the rows of each table.

    Every file is checked first; then all rows are written in one transaction, read back and
    compared, so that either all is there or nothing. `told` is called with the rows so far and
    of all. Raises ConfigError for an export that cannot be read, DatabaseUnusable for a ledger
    with rows, DatabaseError, Interrupted.
    """
    manifest = _manifest(folder)
    _check_files(folder, manifest, stop)
    _prepare(url, manifest.schema, stop)
    dialect = dialect_of(url)
    engine = dialect.writing_engine(stop)
    total, done = sum(each.rows for each in manifest.tables.values()), 0
    try:
        with translated(dialect.where), engine.begin() as connection:
            dialect.one_writer(connection)
            present = _columns(connection)
            _require_empty(connection, dialect, present)
            _require_known(manifest, present)
            for table in _told_of(manifest):
                for batch in _batches(folder, manifest, table):
                    if stop.is_set():
                        raise Interrupted("stopped while importing; nothing was written")
                    _insert(connection, dialect, table, batch, present[table.name])
                    done += len(batch)
                    told(done, total)
                dialect.continue_numbering(connection, table)
            if manifest.schema == migrate.revisions()[-1]:
                _compare(Snapshot(connection, dialect, stop), manifest)
        dialect.gather_statistics(engine)
    finally:
        engine.dispose()
    if manifest.schema != migrate.revisions()[-1]:
        migrate.upgrade(url, stop)
    return {name: told.rows for name, told in manifest.tables.items()}


def _manifest(folder: Path) -> Manifest:
    file = folder / MANIFEST
    try:
        manifest = manifest_of(file.read_bytes(), str(file))
    except FileNotFoundError:
        raise ConfigError(f"{folder}: holds no export: there is no {MANIFEST}") from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    newest = migrate.revisions()[-1]
    if manifest.schema not in migrate.revisions():
        raise ConfigError(
            f"{file}: the export's schema {manifest.schema} is newer than this program's {newest}; "
            "install a newer repoledger"
        )
    unknown = sorted(manifest.tables.keys() - FILES.keys())
    if unknown:
        raise ConfigError(f"{file}: tells of an unknown table {unknown[0]}")
    if manifest.schema == newest and (lacking := sorted(FILES.keys() - manifest.tables.keys())):
        raise ConfigError(f"{file}: the table {lacking[0]} is missing; export again")
    return manifest


def _check_files(folder: Path, manifest: Manifest, stop: threading.Event) -> None:
    """Read every file once. Raises ConfigError for the first that is not as it was written."""
    is_newest = manifest.schema == migrate.revisions()[-1]
    for name, wanted in manifest.tables.items():
        file, checksum, rows = folder / FILES[name], sha256(), 0
        row_of = decoder_of(metadata.tables[name], whole=is_newest)
        try:
            with file.open("rb") as stream:
                for line in stream:
                    if stop.is_set():
                        raise Interrupted("stopped while reading; nothing was written")
                    checksum.update(line)
                    rows += 1
                    if rows <= wanted.rows and line.endswith(b"\n"):
                        row_of(line)
        except FileNotFoundError:
            raise ConfigError(f"{file}: is missing; export again") from None
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ConfigError(f"{file}, line {rows}: cannot be read: {error}") from None
        if rows < wanted.rows:
            raise ConfigError(
                f"{file}: is cut: it has {rows:,} of {wanted.rows:,} rows; export again"
            )
        if checksum.hexdigest() != wanted.sha256:
            raise ConfigError(
                f"{file}: is not as it was exported (its SHA-256 differs from {MANIFEST}); "
                "export again"
            )


def _prepare(url: str, schema: str, stop: threading.Event) -> None:
    """Make a ledger of the export's schema where there is none."""
    current, newest = migrate.check(url), migrate.revisions()[-1]
    if current is None:
        migrate.upgrade(url, stop, to=schema)
    elif current != schema and schema == newest:
        migrate.require_current(current, dialect_of(url).where)
    elif current != schema:
        raise DatabaseUnusable(
            f"{dialect_of(url).where}: has schema {current}, the export the older {schema}; import "
            "it into a database without a ledger, and it is migrated"
        )


def _told_of(manifest: Manifest) -> Iterator[Table]:
    """Yield the tables of the export, each after the tables that its rows refer to."""
    return (table for table in TABLES if table.name in manifest.tables)


def _require_known(manifest: Manifest, tables: Collection[str]) -> None:
    unknown = sorted(manifest.tables.keys() - tables)
    if unknown:
        raise ConfigError(
            f"{MANIFEST}: tells of the table {unknown[0]}, which schema {manifest.schema} has not"
        )


def _columns(connection: Connection) -> dict[str, list[str]]:
    """Return the ledger's columns, by table: an older schema has fewer."""
    inspector = inspect(connection)
    present = set(inspector.get_table_names())
    return {
        table.name: [
            column.name
            for column in table.columns
            if column.name in {each["name"] for each in inspector.get_columns(table.name)}
        ]
        for table in TABLES
        if table.name in present
    }


def _require_empty(connection: Connection, dialect: Dialect, tables: Collection[str]) -> None:
    for name in tables:
        any_row: Select[Any] = (
            select(literal_column("1")).select_from(metadata.tables[name]).limit(1)
        )
        if connection.execute(any_row).first() is not None:
            raise DatabaseUnusable(
                f"{dialect.where}: holds a ledger with rows already; nothing was written. Import "
                "into an empty database"
            )


def _batches(folder: Path, manifest: Manifest, table: Table) -> Iterator[list[Row]]:
    row_of = decoder_of(table, whole=manifest.schema == migrate.revisions()[-1])
    with (folder / FILES[table.name]).open("rb") as stream:
        rows = map(row_of, stream)
        while batch := list(islice(rows, _AT_A_TIME)):
            yield batch


def _insert(
    connection: Connection, dialect: Dialect, table: Table, rows: list[Row], columns: list[str]
) -> None:
    for row in rows:
        reason = dialect.too_long(connection, (each for each in row if isinstance(each, str)))
        if reason is not None:
            raise DatabaseError(f"{dialect.where}: refuses a row of {table.name}: {reason}")
    places = [at for at, column in enumerate(table.columns) if column.name in columns]
    adapted = [tuple(dialect.adapt(row[at]) for at in places) for row in rows]
    dialect.send(connection, dialect.insert(table.name, columns), adapted)


def _compare(ledger: Snapshot, manifest: Manifest) -> None:
    """Raise DatabaseError unless an export of the ledger would be the same."""
    for table in TABLES:
        line_of, checksum = encoder_of(table), sha256()
        for row in ledger.rows(table):
            checksum.update(line_of(row))
        wanted = manifest.tables.get(table.name)
        if wanted is not None and wanted.sha256 != checksum.hexdigest():
            raise DatabaseError(
                f"{ledger.where}: gives other rows of {table.name} back than were written; nothing "
                "was imported"
            )
