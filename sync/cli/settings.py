"""The parts that all commands use: global options, exit codes, the stop signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.core import errors
from sync.core.shutdown import end_process
from sync.core.streams import CUT_OFF

if TYPE_CHECKING:
    from sync.config import Config
    from sync.core.log import Told
    from sync.database.queries import Ledger


class ExitCode(IntEnum):
    """The exit codes of every command; scripts depend on them."""

    SUCCEEDED = 0
    FAILED = 1
    WRONG_USE = 2
    PARTIAL = 3
    DEFERRED = 4
    INTERRUPTED = 130
    CUT_OFF = CUT_OFF


_CODES: dict[type[errors.RepoledgerError], ExitCode] = {
    errors.ConfigError: ExitCode.WRONG_USE,
    errors.DatabaseUnusable: ExitCode.WRONG_USE,
    errors.SchemaMissing: ExitCode.WRONG_USE,
    errors.SchemaOutdated: ExitCode.WRONG_USE,
    errors.SchemaTooNew: ExitCode.WRONG_USE,
    errors.QueryRefused: ExitCode.WRONG_USE,
    errors.NoSuchRepository: ExitCode.WRONG_USE,
    errors.NoSuchHost: ExitCode.WRONG_USE,
    errors.AmbiguousName: ExitCode.WRONG_USE,
    errors.RateLimited: ExitCode.DEFERRED,
    errors.Interrupted: ExitCode.INTERRUPTED,
}


def exit_code_of(error: errors.RepoledgerError) -> ExitCode:
    """Return the exit code for an error."""
    return _CODES.get(type(error), ExitCode.FAILED)


def worst(codes: list[ExitCode]) -> ExitCode:
    """Return the most severe of several accounts' codes."""
    order = (
        ExitCode.INTERRUPTED,
        ExitCode.WRONG_USE,
        ExitCode.FAILED,
        ExitCode.DEFERRED,
        ExitCode.PARTIAL,
    )
    return next((code for code in order if code in codes), ExitCode.SUCCEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global options."""

    config_path: Path | None = None
    log_format: str | None = None
    log_level: str | None = None

    def load(self) -> Config:
        """Read the configuration. Raises ConfigError."""
        from sync import config

        return config.load(self.config_path, os.environ)

    def start_log(
        self,
        default: str | None = None,
        silent: Collection[str] = (),
        *,
        once: bool = False,
        story: Told | None = None,
    ) -> None:
        """Set up logging; needed by commands that talk to GitHub.

        `default` is the level unless the user chose one. Without it, the level is "info",
        or "warning" on a terminal, where the result is shown anyway. Loggers with the names
        in `silent` log nothing. Unless the user chose a level, with `once` a failure is told
        once, and `story` says on a terminal what is shown of each event.
        """
        from sync.core import log

        default = default or ("warning" if _on_terminal() else "info")
        level = self.log_level or default
        log_format: Any = self.log_format or "auto"
        if self.log_level is not None:
            once, story = False, None
        elif story is not None and log.is_console(log_format):
            level = "debug"  # the story takes from it what it needs
        log.configure(log_format, level, silent, once=once, story=story)


def open_ledger(settings: Settings) -> Ledger:
    """Return the configured ledger, for reading. Raises ConfigError and the errors of `Ledger`."""
    config = settings.load()
    from sync.database.queries import Ledger

    return Ledger(config.database.url)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that is set by a stopping signal: SIGTERM, Ctrl-C, a closed terminal.

    A second signal ends the process at once.
    """
    stop = threading.Event()

    def handle(_number: int, _frame: Any) -> None:
        if stop.is_set():
            if _on_terminal():
                os.write(2, b"\x1b[?25h\n")  # a progress bar has hidden the cursor
            end_process(ExitCode.INTERRUPTED)
        stop.set()

    outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # started by nohup
    numbers = [n for n in STOPPING if not (outlives_terminal and n == signal.SIGHUP)]
    before = {number: signal.signal(number, handle) for number in numbers}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)  # a parent process may have blocked them
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
