"""What a process uses, as the system tells it."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Usage(NamedTuple):
    """What a process uses: bytes of resident memory, open files, threads."""

    memory: int
    files: int
    threads: int


def usage(pid: int) -> Usage:
    """Return what a process uses now."""
    proc = Path(f"/proc/{pid}")
    pages = int((proc / "statm").read_text().split()[1])
    return Usage(
        memory=pages * os.sysconf("SC_PAGE_SIZE"),
        files=len(list((proc / "fd").iterdir())),
        threads=len(list((proc / "task").iterdir())),
    )


def medians(usages: list[Usage]) -> Usage:
    """Return the median of each figure."""
    return Usage(*(int(median(figures)) for figures in zip(*usages, strict=True)))
