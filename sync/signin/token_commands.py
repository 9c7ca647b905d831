"""Runs a command that prints a token, such as `gh auth token`."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO, cast

from sync.config.files import decoded
from sync.config.values import Command
from sync.core.errors import ConfigError
from sync.core.redaction import protect_short_lived, scrub
from sync.core.waiting import Unanswered, read, wait_until

_PATIENCE = 30.0  # seconds: the command may ask a password manager, or a person
_LONGEST = 16 * 1024  # bytes; no server accepts a longer header
_ENDING = 1.0  # seconds in which the system ends a killed process


def output_of(
    command: Command,
    what: str,
    *,
    patience: float = _PATIENCE,
    stop: threading.Event | None = None,
) -> str:
    """Return the line that a command prints. Raises ConfigError, which never shows the line.

    The command gets no input, and `patience` seconds. Its stderr is dropped, since it may
    contain the token. `what` names the account. Raises Interrupted when `stop` is set.
    """
    printed, reason = b"", ""
    try:
        printed, reason = _run(command, patience, stop)
    except OSError as error:
        reason = f"cannot be run: {error.strerror}"
    try:
        text = decoded(printed).strip()
    except ValueError:
        text, reason = "", reason or "printed something that is not text"
    if not reason and not text:
        reason = "printed nothing"
    if not reason and len(text.splitlines()) > 1:
        reason = "printed several lines; a token is one line"
    if reason:
        raise ConfigError(f"{what}: the command {scrub(command[0])} {reason}")
    protect_short_lived(text)
    return text


def _run(command: Command, patience: float, stop: threading.Event | None) -> tuple[bytes, str]:
    """Return the output of a command, and the reason if it failed. Raises OSError, Interrupted."""
    deadline = time.monotonic() + patience
    process = subprocess.Popen(  # noqa: S603  # the user's own words
        command,
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # its own process group, without a terminal for hidden questions
    )
    output = cast("IO[bytes]", process.stdout)
    with output:
        try:
            # The output ends when the last child process has closed it.
            printed = read(output, _LONGEST, patience=patience, stop=stop)
            if len(printed) > _LONGEST:
                return b"", f"printed more than {_LONGEST:,} bytes, too much for a token"
            wait_until(lambda: process.poll() is not None, deadline=deadline, stop=stop)
        except Unanswered:
            if process.poll() is None:
                return b"", f"took longer than {patience:g} s"
            return b"", f"left a process running that did not end within {patience:g} s"
        finally:
            _end(process)
    if process.returncode:
        return b"", f"ended with exit code {process.returncode}; run it yourself to see why"
    return printed, ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a command and its children, except processes of another user, such as root."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    try:
        process.wait(_ENDING)
    except subprocess.TimeoutExpired:
        threading.Thread(target=process.wait, name="left behind", daemon=True).start()
