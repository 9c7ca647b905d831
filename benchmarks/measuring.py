"""Running a command as a process of its own, and what it used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_UNIT = 1024  # of ru_maxrss, on Linux


class Usage(NamedTuple):
    """Seconds of the clock and of the processor (of the process and its children), and bytes."""

    wall: float
    cpu: float
    memory: int


def run(
    commands: Sequence[Sequence[str]], *, cwd: Path, env: Mapping[str, str], log: Path
) -> Usage:
    """Run commands, each piped into the next one, to their end, and return what they used.

    The memory is the sum of the peaks of all. Raises RuntimeError with the end of what they
    wrote if one fails.
    """
    # By a small process: what is started takes over its starter's peak of memory.
    asked = {"commands": commands, "cwd": str(cwd), "env": dict(env), "log": str(log)}
    told = subprocess.run(
        [sys.executable, "-S", "-E", __file__],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    codes, *used = json.loads(told.stdout)
    if any(codes):
        tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
        raise RuntimeError(f"exit codes {codes} of {[c[0] for c in commands]}:\n{tail}")
    return Usage(*used)


def _measure(
    commands: Sequence[Sequence[str]], cwd: str, env: dict[str, str], log: str
) -> tuple[list[int], float, float, int]:
    """Return the exit codes, and a Usage."""
    started = time.monotonic()
    processes: list[subprocess.Popen[bytes]] = []
    with Path(log).open("wb") as output:
        for number, command in enumerate(commands):
            is_last = number == len(commands) - 1
            processes.append(
                subprocess.Popen(
                    command,
                    cwd=cwd,
                    env=env,
                    stdin=processes[-1].stdout if processes else subprocess.DEVNULL,
                    stdout=output if is_last else subprocess.PIPE,
                    stderr=output,
                )
            )
            if len(processes) > 1 and processes[-2].stdout is not None:
                processes[-2].stdout.close()
        ended = [os.wait4(process.pid, 0) for process in processes]
    wall = time.monotonic() - started
    codes = [os.waitstatus_to_exitcode(status) for _, status, _ in ended]
    for process, code in zip(processes, codes, strict=True):
        process.returncode = code  # it has been waited for
    return (
        codes,
        wall,
        sum(used.ru_utime + used.ru_stime for _, _, used in ended),
        sum(used.ru_maxrss for _, _, used in ended) * _UNIT,
    )


if __name__ == "__main__":
    print(json.dumps(_measure(**json.load(sys.stdin))))
