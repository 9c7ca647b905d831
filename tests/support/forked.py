"""Commands that start quickly: forked by a process that has imported `sync` before.

Each is a process of its own, with its own folder, environment and streams; what it shares with
others is imported code alone. What an interpreter reads when it starts cannot be given to it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from pkgutil import iter_modules

from sync import cli

# Beginnings of the names of variables that are read when an interpreter starts.
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "MALLOC", "FAKETIME")

# Every command, and what commands import only when they need it.
_IMPORTED = [f"sync.cli.{module.name}" for module in iter_modules(cli.__path__)]
_IMPORTED += ["sync.run.run", "sync.database.migrate", "alembic.command", "rich.progress"]

_forking = get_context("forkserver")
_forking.set_forkserver_preload(_IMPORTED)


def can_be_given(variables: Mapping[str, str]) -> bool:
    """Tell whether a forked command heeds all of `variables`."""
    return not any(name.startswith(_READ_AT_START) for name in variables)


def run_forked(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], stdin: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run `repoledger ARGUMENTS` to its end. Raises TimeoutExpired after `timeout` seconds."""
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(stdin)
        process = _forking.Process(target=_command, args=(arguments, cwd, dict(env), streams))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout)
        code, (_, out, err) = process.exitcode, streams
        process.close()
        return subprocess.CompletedProcess(arguments, code, out.read_bytes(), err.read_bytes())


def _command(
    arguments: Sequence[str], cwd: Path, env: Mapping[str, str], streams: Sequence[Path]
) -> None:
    """Be the command: what `python -W error -m sync ARGUMENTS` is after its start."""
    for number, file in enumerate(streams):
        flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        opened = os.open(file, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    # As Python opens them where the locale is C.UTF-8.
    sys.stdin = open(0, errors="surrogateescape", closefd=False)  # noqa: SIM115  # open to the end
    sys.stdout = open(1, "w", errors="surrogateescape", closefd=False)  # noqa: SIM115  # likewise
    sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    warnings.simplefilter("error")
    from sync.__main__ import main

    sys.argv = ["repoledger", *arguments]
    try:
        main()
    finally:
        sys.stdout.flush()
