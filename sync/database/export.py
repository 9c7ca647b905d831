"""Writes a ledger into a folder of text files, which go well into git."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Table

from sync.core.disk import flush_folder
from sync.core.errors import ConfigError, RepoledgerError
from sync.database import migrate
from sync.database.compare import TABLES, Snapshot
from sync.database.export_format import (
    FILES,
    FORMAT,
    MANIFEST,
    VERSION,
    Manifest,
    TableFile,
    encoder_of,
    is_ours,
    manifest_of,
    partial_of,
    unfinished,
)

_BLOCK = 1 << 20
_SHOWN = 5  # files of others that a refusal names


@dataclass(frozen=True, slots=True)
class Exported:
    """A table's file: its rows and bytes, and whether it was written."""

    table: str
    rows: int
    bytes: int
    written: bool


def export(source: Snapshot, folder: Path) -> list[Exported]:
    """Write the ledger into `folder`: a file for each table, and the manifest.

    All files are complete before the first takes its place; one that has not changed is left
    alone. Raises ConfigError for a folder that holds other files, RepoledgerError if it cannot
    be written.
    """
    partials: dict[Path, Path] = {}
    try:
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _require_own(folder)
            _remove_leftovers(folder)
            tables: dict[str, TableFile] = {}
            done: list[Exported] = []
            for table in TABLES:
                file = folder / FILES[table.name]
                told, written = _same(source, table, file), False
                if told is None:
                    partials[file] = folder / partial_of(file.name)
                    told, written = _write(source, table, partials[file]), True
                tables[table.name] = told
                size = partials.get(file, file).stat().st_size
                done.append(Exported(table.name, told.rows, size, written))
            manifest = Manifest(
                format=FORMAT, version=VERSION, schema=migrate.revisions()[-1], tables=tables
            )
            _place(folder, partials, manifest.to_bytes())
            return done
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RepoledgerError(f"{folder}: the export cannot be written: {reason}") from None


def _require_own(folder: Path) -> None:
    """Raise ConfigError if the folder holds anything but an export, or one of another format."""
    others = sorted(each.name for each in folder.iterdir() if not is_ours(each.name))
    manifest = folder / MANIFEST
    if not others and manifest.exists():
        manifest_of(manifest.read_bytes(), str(manifest))
        return
    if not others:  # without a manifest, a table's file is somebody else's too
        others = sorted(name for name in FILES.values() if (folder / name).exists())
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        raise ConfigError(
            f"{folder}: holds files that are not of an export: {', '.join(others[:_SHOWN])}{more}; "
            "name an empty folder"
        )


def _remove_leftovers(folder: Path) -> None:
    for left in unfinished():
        (folder / left).unlink(missing_ok=True)


def _same(source: Snapshot, table: Table, file: Path) -> TableFile | None:
    """Return what to say of a table's file if it is already as it would be written.

    It is read instead of written, since flash memory wears out by writing.
    """
    if not file.is_file():
        return None
    told = _lines(source, table, lambda _: None)
    found = sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return told if found.hexdigest() == told.sha256 else None


def _write(source: Snapshot, table: Table, file: Path) -> TableFile:
    with file.open("wb") as stream:
        told = _lines(source, table, stream.write)
        stream.flush()
        os.fsync(stream.fileno())
    return told


def _lines(source: Snapshot, table: Table, take: Callable[[bytes], object]) -> TableFile:
    """Give each row's line to `take`."""
    line_of, checksum, rows = encoder_of(table), sha256(), 0
    for row in source.rows(table):
        line = line_of(row)
        take(line)
        checksum.update(line)
        rows += 1
    return TableFile(rows, checksum.hexdigest())


def _place(folder: Path, partials: dict[Path, Path], manifest: bytes) -> None:
    """Put the manifest and the new files in place.

    The manifest comes first: if this ends in the middle, its checksums tell, and the folder
    is still known as an export's.
    """
    file = folder / MANIFEST
    if not file.exists() or file.read_bytes() != manifest:
        partial = partials[file] = folder / partial_of(MANIFEST)
        with partial.open("wb") as stream:
            stream.write(manifest)
            stream.flush()
            os.fsync(stream.fileno())
        partials.pop(file).replace(file)
    for target, partial in partials.items():
        partial.replace(target)
    flush_folder(folder)
