"""Writes a ledger into a folder of text files, which go well into git."""

from __future__ import annotations

import os
from collections.abc import Iterator
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
    PARTIAL,
    VERSION,
    Manifest,
    TableFile,
    encoder_of,
    is_ours,
    manifest_of,
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
    partials: list[Path] = []
    try:
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _require_own(folder)
            _remove_leftovers(folder)
            tables: dict[str, TableFile] = {}
            done: list[Exported] = []
            for table in TABLES:
                partial = _partial(folder, FILES[table.name])
                partials.append(partial)
                tables[table.name] = told = _write(source, table, partial)
                size, file = partial.stat().st_size, folder / FILES[table.name]
                written = not _is_same(file, size, told.sha256)
                if not written:
                    partials.pop().unlink()
                done.append(Exported(table.name, told.rows, size, written))
            manifest = Manifest(
                format=FORMAT, version=VERSION, schema=migrate.revisions()[-1], tables=tables
            )
            _place(folder, partials, manifest.to_bytes())
            return done
    finally:
        for partial in partials:
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
    for left in folder.glob(f".*{PARTIAL}"):
        left.unlink(missing_ok=True)


def _partial(folder: Path, name: str) -> Path:
    return folder / f".{name}{PARTIAL}"


def _write(source: Snapshot, table: Table, file: Path) -> TableFile:
    line_of, checksum, rows = encoder_of(table), sha256(), 0
    with file.open("wb") as stream:
        for row in source.rows(table):
            line = line_of(row)
            stream.write(line)
            checksum.update(line)
            rows += 1
        stream.flush()
        os.fsync(stream.fileno())
    return TableFile(rows, checksum.hexdigest())


def _is_same(file: Path, size: int, checksum: str) -> bool:
    if not file.is_file() or file.stat().st_size != size:
        return False
    found = sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest() == checksum


def _place(folder: Path, partials: list[Path], manifest: bytes) -> None:
    """Put the manifest and the new files in place.

    The manifest comes first: if this ends in the middle, its checksums tell, and the folder
    is still known as an export's.
    """
    file = folder / MANIFEST
    if not file.exists() or file.read_bytes() != manifest:
        partial = _partial(folder, MANIFEST)
        partials.append(partial)
        with partial.open("wb") as stream:
            stream.write(manifest)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(file)
    for partial in partials:
        if partial.exists():
            partial.replace(folder / partial.name[1 : -len(PARTIAL)])
    flush_folder(folder)
