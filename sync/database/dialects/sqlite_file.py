"""The file of a SQLite database: its folder, its hard links, its mode."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from sync.core.errors import DatabaseUnusable

_PRIVATE = 0o600  # only the owner may read and write
BUSY_TIMEOUT = 30.0  # seconds to wait for another writer


def refuse_folder(file: Path) -> None:
    """Raise DatabaseUnusable if `file` is a folder."""
    try:
        is_folder = file.is_dir() and file.parent.is_dir()
    except OSError as error:  # a name that is too long, a folder without the right to enter
        raise DatabaseUnusable(f"{file}: cannot be used: {error.strerror}") from None
    if is_folder:
        raise DatabaseUnusable(f"{file}: is a folder, not a database")


def second_name(file: Path) -> str | None:
    """Return why a file with hard links cannot be used; None if it has none, or does not exist.

    SQLite and the account's lock use files beside each name.
    https://www.sqlite.org/howtocorrupt.html#multiple_links_to_the_same_file
    """
    names = file.stat().st_nlink if file.exists() else 1
    if names < 2:
        return None
    return (
        f"{file}: has {names} names (hard links), and SQLite damages a file that is written to by "
        "two of them; remove the others, or replace it by a copy"
    )


def make(file: Path) -> None:
    """Create an empty file that only its owner can read, if it is missing.

    A ledger may hold private repositories. SQLite gives the files beside it the same mode.
    Raises DatabaseUnusable.
    """
    if file.exists():  # without opening it: closing would free this process's locks on it
        return
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        os.close(os.open(os.path.realpath(file), flags, _PRIVATE))
    except FileExistsError:
        pass
    except OSError as error:
        raise DatabaseUnusable(f"{file}: cannot be created: {error.strerror}") from None


def identity_of(file: Path) -> tuple[int, int]:
    """Return the file's device and inode, to notice its replacement; zeros if it is missing."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def open_file(file: Path, mode: str, timeout: float = BUSY_TIMEOUT) -> sqlite3.Connection:
    """Open a file with `mode` of SQLite's URIs; `timeout`: seconds to wait for other writers."""
    # isolation_level None: the driver begins no transactions by itself.
    return sqlite3.connect(
        f"file:{quote(os.fsencode(file.absolute()))}?mode={mode}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        check_same_thread=False,
    )
