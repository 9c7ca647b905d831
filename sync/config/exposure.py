"""Finds files with secrets that other users of the machine can read."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from structlog import get_logger


class OpenFile(NamedTuple):
    """A file that other users can read, and the command that prevents it."""

    file: str
    cure: str


def open_files(files: tuple[str, ...]) -> Iterator[OpenFile]:
    """Yield those of `files` that users other than their owner can read.

    Files on a read-only mount are skipped: Kubernetes and Docker mount secrets there,
    readable by everyone in a container without other users, and their modes cannot be
    changed. A file of another owner may be readable by the group, since services get
    their secrets like that.
    """
    if not hasattr(os, "geteuid"):  # on Windows, modes do not tell who can read
        return
    for file in dict.fromkeys(files):
        try:
            status = Path(file).stat()
            fixed = os.statvfs(file).f_flag & os.ST_RDONLY
        except OSError:
            continue  # reading the file later raises the error
        mine = status.st_uid == os.geteuid()
        if stat.S_ISREG(status.st_mode) and not fixed and status.st_mode & (0o077 if mine else 0o7):
            yield OpenFile(file, f"chmod {'go=' if mine else 'o='} {shlex.quote(file)}")


def warn_of(files: tuple[str, ...]) -> None:
    """Log a warning for those of `files` that other users can read."""
    for each in open_files(files):
        get_logger("sync.config").warning("secret.file_open", **each._asdict())
