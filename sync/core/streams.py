"""Standard streams that block, even if the parent process has set them to non-blocking."""

from __future__ import annotations

import io
import os
import select
from typing import Any

CUT_OFF = 141  # the exit code of a program that SIGPIPE ends


def drop_what_is_left(output: int) -> None:
    """Discard output that cannot be written; otherwise Python fails at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)


class _Patient(io.FileIO):
    """A file that waits when a non-blocking stream has no data or no room.

    The mode of a pipe or terminal is shared with the other programs that have it open: so this
    program does not change it, and it may change at any moment.
    """

    read = io.RawIOBase.read  # type: ignore[assignment]  # as `readall`, it asks `readinto`
    readall = io.RawIOBase.readall

    def __init__(self, stream: io.TextIOWrapper, mode: str) -> None:
        super().__init__(stream.fileno(), mode, closefd=False)
        self._stream = stream  # kept, since it closes the file when it is collected

    def readinto(self, buffer: Any) -> int:
        while (count := super().readinto(buffer)) is None:
            self._wait_for(select.POLLIN)
        return count

    def write(self, data: Any) -> int:
        while (count := super().write(data)) is None:
            self._wait_for(select.POLLOUT)
        return count

    def _wait_for(self, what: int) -> None:
        ready = select.poll()
        ready.register(self, what)
        ready.poll()


def patient_input(stream: Any) -> Any:
    """Return a blocking reader for `stream`; `stream` itself if it is no ordinary file."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    buffer = io.BufferedReader(_Patient(stream, "r"))
    return io.TextIOWrapper(buffer, encoding=stream.encoding, errors=stream.errors)


def patient_output(stream: Any) -> Any:
    """Return a blocking writer for `stream`; `stream` itself if it is no ordinary file.

    Characters that the stream's encoding lacks are replaced.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(stream, "w")),
        encoding=stream.encoding,
        errors="backslashreplace",
        newline="\n",
        line_buffering=stream.line_buffering or stream.write_through,
    )
