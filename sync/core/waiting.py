"""Waits, with a time limit, for calls that cannot be interrupted: name servers, keyrings, pipes."""

from __future__ import annotations

import math
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from traceback import walk_stack
from typing import IO, TYPE_CHECKING, TypeVar

from sync.core.errors import Interrupted

if TYPE_CHECKING:
    from filelock import FileLock

T = TypeVar("T")

TICK = 0.2  # seconds between two checks of a stop event, or of a lock of another process
_POLL = 0.02  # seconds between two checks of a condition that is expected soon


class Unanswered(Exception):  # internal: callers turn it into an error of ours
    """There was no answer in time."""


def ask(
    question: Callable[[], T],
    *,
    patience: float = math.inf,
    stop: threading.Event | None = None,
    too_late: Callable[[], object] | None = None,
) -> T:
    """Call `question` in a thread of its own; return its result, or raise its exception.

    Raises Unanswered after `patience` seconds, and Interrupted when `stop` is set. The thread
    then goes on by itself, and calls `too_late` at its end.
    """
    answers: list[T] = []
    failures: list[BaseException] = []
    answered, left, lock = threading.Event(), threading.Event(), threading.Lock()

    def answer() -> None:
        try:
            answers.append(question())
        except BaseException as error:
            failures.append(error)
        with lock:
            answered.set()
            late = left.is_set()
        if late and too_late is not None:
            too_late()

    threading.Thread(target=copy_context().run, args=(answer,), name="ask", daemon=True).start()
    deadline = time.monotonic() + patience
    try:
        while not answered.wait(max(min(TICK, deadline - time.monotonic()), 0.0)):
            _go_on(deadline, stop)
    except BaseException:
        with lock:
            in_time = answered.is_set()
            left.set()
        if in_time and too_late is not None:
            too_late()
        raise
    if failures:
        raise failures.pop()  # removed, to avoid a reference cycle with its traceback
    return answers[0]


def read(stream: IO[bytes], most: int, *, patience: float, stop: threading.Event | None) -> bytes:
    """Read an unbuffered stream to its end, or until it has given more than `most` bytes.

    Raises Unanswered and Interrupted as `ask` does.
    """
    content = b""
    deadline = time.monotonic() + patience
    ready = select.poll()
    ready.register(stream, select.POLLIN)
    while len(content) <= most:
        if ready.poll(1000 * max(min(TICK, deadline - time.monotonic()), 0.0)):
            chunk = stream.read(65_536)
            if chunk == b"":
                break
            content += chunk or b""
        _go_on(deadline, stop)  # after each part, since a slow stream may never end
    return content


def wait_until(
    holds: Callable[[], bool],
    *,
    deadline: float,
    stop: threading.Event | None,
    every: float = _POLL,
) -> None:
    """Call `holds` every `every` seconds until it returns true.

    Raises Unanswered after `deadline` (monotonic seconds), and Interrupted as `ask` does.
    """
    while not holds():
        _go_on(deadline, stop)
        time.sleep(every)


def taken(file: Path, *, patience: float, stop: threading.Event | None) -> FileLock:
    """Take the lock on `file`; the system frees it at the end of the process.

    Raises OSError, and Unanswered and Interrupted as `ask` does.
    """
    from filelock import FileLock, Timeout

    # For the owner alone: every user who can open the file can hold the lock.
    lock = FileLock(file, timeout=0, mode=0o600)

    def is_taken() -> bool:
        with suppress(Timeout):
            lock.acquire()
        return lock.is_locked

    wait_until(is_taken, deadline=time.monotonic() + patience, stop=stop, every=TICK)
    return lock


def _go_on(deadline: float, stop: threading.Event | None) -> None:
    if stop is not None and stop.is_set():
        raise Interrupted("stopped while waiting")
    if time.monotonic() >= deadline:
        raise Unanswered


def asks_name_servers(thread: int) -> bool:
    """Return whether a thread, given by its identifier, is looking up a host's address."""
    frame = sys._current_frames().get(thread)
    code = getattr(socket.getaddrinfo, "__code__", None)
    return frame is not None and any(each.f_code is code for each, _ in walk_stack(frame))
