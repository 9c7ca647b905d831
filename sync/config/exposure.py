"""Files with secrets in them that others on the machine can read."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sync.loggers import get_logger


class OpenFile(NamedTuple):
    """A file that others can read, and what to type so that they cannot."""

    file: str
    cure: str


def open_files(files: tuple[str, ...]) -> Iterator[OpenFile]:
    """Yield those of `files` that others than their owner can read.

    Not those on a mount that is read-only: what runs containers puts secrets there
    (Kubernetes and Docker, readable by all of a container that has no other
    users), and their modes cannot be changed from here. That the group can read a
    file of another owner's is how a service gets it, and is left alone.
    """
    if not hasattr(os, "geteuid"):  # Windows' modes say nothing of who can read
        return
    for file in dict.fromkeys(files):
        try:
            status = Path(file).stat()
            fixed = os.statvfs(file).f_flag & os.ST_RDONLY
        except OSError:
            continue  # it cannot be read at all, which whoever reads it will tell
        mine = status.st_uid == os.geteuid()
        if stat.S_ISREG(status.st_mode) and not fixed and status.st_mode & (0o077 if mine else 0o7):
            yield OpenFile(file, f"chmod {'go=' if mine else 'o='} {shlex.quote(file)}")


def warn_of(files: tuple[str, ...]) -> None:
    """Log those of `files` that others can read."""
    for each in open_files(files):
        get_logger("sync.config").warning("secret.file_open", **each._asdict())
