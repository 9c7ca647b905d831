"""Commands that print a token, such as `gh auth token`."""

from __future__ import annotations

import shlex
import subprocess
import threading
import time
from typing import IO, Any, Self

from sync.errors import ConfigError
from sync.redaction import protect, scrub

_PATIENCE = 30.0  # seconds: it may ask a password manager, or somebody
_LONGEST = 64 * 1024  # bytes


class Command(tuple[str, ...]):
    """A program and its arguments: text as a shell splits it, or a list. No shell runs it."""

    __slots__ = ()

    @classmethod
    def parse(cls, value: Any) -> Self:
        right = ValueError('must be a command such as "gh auth token", or a list of its words')
        try:
            words = shlex.split(value) if isinstance(value, str) else value
        except ValueError:
            raise right from None
        if not isinstance(words, list) or not words or not words[0]:
            raise right
        if not all(isinstance(word, str) and "\0" not in word for word in words):
            raise right
        return cls(words)


def output_of(command: Command, what: str, *, patience: float = _PATIENCE) -> str:
    """Return the line that a command prints. Raises ConfigError, which never shows it.

    It gets no input, and `patience` seconds. What it says on stderr is dropped: it may
    hold the token as well.
    """
    printed, reason = b"", ""
    try:
        printed, reason = _run(command, patience)
    except OSError as error:
        reason = f"cannot be run: {error.strerror}"
    text = printed.decode("utf-8", "replace").strip()
    protect(text)
    if not reason and not text:
        reason = "printed nothing"
    if not reason and len(text.splitlines()) > 1:
        reason = "printed several lines; a token is one"
    if reason:
        raise ConfigError(f"{what}: the command {scrub(command[0])} {reason}")
    return text


def _run(command: Command, patience: float) -> tuple[bytes, str]:
    """Return what a command printed, and what was wrong with it. Raises OSError."""
    process = subprocess.Popen(  # noqa: S603  # the user's own words
        command,
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    printed: list[bytes] = []
    # In a thread of its own: the output ends only when the last of its children has closed it.
    reader = threading.Thread(target=_read, args=(process.stdout, printed), daemon=True)
    deadline = time.monotonic() + patience
    try:
        reader.start()
        reader.join(patience)
        if sum(map(len, printed)) > _LONGEST:
            return b"", "printed more than a token"
        process.wait(max(deadline - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        return b"", f"took longer than {patience:g} s"
    finally:
        process.kill()
        process.wait()
    if reader.is_alive():
        return b"", f"left something running that did not end within {patience:g} s"
    if process.returncode:
        return b"", f"ended with {process.returncode}; run it yourself to see why"
    return b"".join(printed), ""


def _read(stream: IO[bytes], printed: list[bytes]) -> None:
    with stream:
        while sum(map(len, printed)) <= _LONGEST and (chunk := stream.read(4096)):
            printed.append(chunk)
