"""The files of an export: their names, their manifest, and rows as lines. No I/O here.

Each table is one file of JSON objects, a line each, in the order of the keys. Columns that are
null are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, Date, Double, Integer, Table

from sync.core.errors import ConfigError
from sync.database.compare import TABLES, Row
from sync.database.types import Document, UtcDateTime

FORMAT = "repoledger export"
VERSION = 1
MANIFEST = "manifest.json"
_PARTIAL = ".partial"
FILES = {table.name: f"{table.name}.ndjson" for table in TABLES}
_NAMES = (MANIFEST, *FILES.values())


class TableFile(msgspec.Struct, frozen=True):
    """What the manifest says of a table's file: its rows, and a SHA-256 of its bytes."""

    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of an export; `schema` is the number of the ledger's last migration."""

    format: str
    version: int
    schema: str
    tables: dict[str, TableFile]

    def to_bytes(self) -> bytes:
        """Return the manifest as a file that diffs well."""
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"


def manifest_of(content: bytes, where: str) -> Manifest:
    """Read a manifest of this version or an older one. Raises ConfigError."""
    try:
        told = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told = None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ConfigError(f"{where}: is not the manifest of an export of repoledger")
    version = told.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ConfigError(
            f"{where}: the export's format {version} is newer than this program's {VERSION}; "
            "install a newer repoledger"
        )
    try:
        return msgspec.convert(told, Manifest)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: is damaged: {error}; export again") from None


def is_ours(name: str) -> bool:
    """Return whether a file of this name may be in a folder of an export.

    Git's own files may: an export is often a git repository.
    """
    return name in (*_NAMES, *unfinished()) or name.startswith(".git")


def partial_of(name: str) -> str:
    """Return the name of a file of the export while it is unfinished."""
    return f".{name}{_PARTIAL}"


def unfinished() -> list[str]:
    """Return the names that an export leaves behind if it is killed."""
    return [partial_of(name) for name in _NAMES]


def encoder_of(table: Table) -> Callable[[Row], bytes]:
    """Return a function that makes a row a line."""
    names = [column.name for column in table.columns]
    encode = msgspec.json.Encoder(order="deterministic").encode
    heads = [encode(str(name)) + b":" for name in names]

    def line(row: Row) -> bytes:
        told = (
            head + encode(value)
            for head, value in zip(heads, row, strict=True)
            if value is not None
        )
        return b"{" + b",".join(told) + b"}\n"

    return line


def decoder_of(table: Table, *, whole: bool = True) -> Callable[[bytes], Row]:
    """Return a function that makes a line a row; it raises ValueError.

    `whole`: whether every column has to be there, as in an export of this program's schema.
    """
    readers = {column.name: _reader_of(column.type) for column in table.columns}
    required = [column.name for column in table.columns if whole and not column.nullable]
    decode = msgspec.json.Decoder(dict[str, Any]).decode

    def row(line: bytes) -> Row:
        told = decode(line)
        unknown = told.keys() - readers.keys()
        if unknown:
            raise ValueError(f"unknown column {min(unknown)}")
        lacking = [name for name in required if name not in told]
        if lacking:
            raise ValueError(f"no column {lacking[0]}")
        return tuple(read(told[name]) if name in told else None for name, read in readers.items())

    return row


def _reader_of(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, Document):
        return lambda value: value
    wanted: Any = str
    if isinstance(kind, UtcDateTime):
        wanted = datetime
    elif isinstance(kind, Date):
        wanted = date
    elif isinstance(kind, Boolean):
        wanted = bool
    elif isinstance(kind, Double):
        wanted = float
    elif isinstance(kind, (BigInteger, Integer)):
        wanted = int
    return lambda value: msgspec.convert(value, wanted)
