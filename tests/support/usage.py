"""What a process uses, as the system tells it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.support.process import COMMAND, environment


class Usage(NamedTuple):
    """What a process uses: bytes of resident memory, open files, threads."""

    memory: int
    files: int
    threads: int


class Ended(NamedTuple):
    """How a process ended, what it showed, and the peak of its resident memory in bytes."""

    code: int
    shown: str
    peak: int


# Starts a command and tells its peak. In between, since what a process has had at its peak is
# counted from what its parent had when it was made, and pytest has had a lot.
_MEASURING = """
import os, resource, subprocess, sys
with open(sys.argv[1], "w") as told:
    process = subprocess.Popen(sys.argv[3:])
    if int(sys.argv[2]):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (int(sys.argv[2]),) * 2)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    print(process.returncode, used.ru_maxrss, file=told)
"""


def measured(*arguments: str, cwd: Path, addresses: int = 0, **variables: str) -> Ended:
    """Run a command of repoledger's that may use so many bytes of addresses; 0 for any number."""
    told = cwd / "told"
    own = [sys.executable, "-I", "-S", "-c", _MEASURING, str(told), str(addresses)]
    done = subprocess.run(
        [*own, *COMMAND, *arguments],
        cwd=cwd,
        env=environment(cwd, **variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    code, peak = map(int, told.read_text().split())
    return Ended(code, done.stdout + done.stderr, peak * 1024)  # KiB on Linux


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
