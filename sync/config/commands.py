"""Commands that print a token, such as `gh auth token`."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any, Self

from sync.errors import ConfigError
from sync.redaction import protect

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


def output_of(command: Command, what: str) -> str:
    """Return what a command prints on stdout. Raises ConfigError, which never shows it.

    What it says on stderr goes where ours does: it may ask for something.
    """
    program, reason, printed = command[0], "", b""
    try:
        done = subprocess.run(  # noqa: S603  # the user's own words
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_PATIENCE,
            check=False,
        )
        printed = done.stdout
        if done.returncode:
            reason = f"ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"took longer than {_PATIENCE:g} s"
    except OSError as error:
        reason = f"cannot be run: {error.strerror}"
    if not reason and not printed.strip():
        reason = "printed nothing"
    if not reason and len(printed) > _LONGEST:
        reason = "printed more than a token"
    text = printed.decode("utf-8", "replace").strip()
    protect(text)
    if reason:
        raise ConfigError(f"{what}: the command {program} {reason}")
    return text
