"""Little memory: to need few addresses, and to know an error that says there were none left."""

from __future__ import annotations

import gc
from contextlib import ExitStack, suppress

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
_USUAL = gc.get_threshold()
_OF_A_THREAD = 10 * 1024 * 1024  # bytes: the usual stack of 8 MiB, and what it begins with

EXHAUSTED = (
    "out of memory: the limit of this process (ulimit -v) or of the machine is reached. "
    "What was stored stays; run again with more memory to go on"
)


def keep_one_heap() -> None:
    """Have all threads allocate from one heap, which keeps some MiB of what was freed.

    glibc otherwise reserves 64 MiB of addresses for each of them, which an address
    limit counts as used. Threads of Python hardly ever allocate at the same time.
    And it gives each page's memory back to the system, only to ask for it anew for the next
    page: half of all page faults of a run.
    """
    with suppress(ImportError, OSError, AttributeError, TypeError):  # another C library
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, 4 * 1024 * 1024)
        mallopt(_M_TRIM_THRESHOLD, 8 * 1024 * 1024)


def collect_rarely() -> None:
    """Have Python look for cycles of objects after 200,000 new ones, not after 700.

    What a command imports stays, and what a page holds has no cycles: each look costs more than
    it frees, a tenth of the processor's time of a short command and of a first run. Not for a
    daemon, which would be some MiB larger for it: see `collect_as_usual`.
    """
    gc.set_threshold(200_000, 20, 50)


def collect_as_usual() -> None:
    """Undo `collect_rarely`."""
    gc.set_threshold(*_USUAL)


def leave_the_rest() -> None:
    """Have Python end without a last look for cycles, which costs a fifth of a short command.

    The system takes back the memory at once. To be called when everything is closed.
    """
    gc.freeze()


def require_room(threads: int) -> None:
    """Raise MemoryError unless there are addresses for so many threads.

    Python waits for ever for a thread that has a stack, and finds no memory for the rest.
    """
    from mmap import mmap

    with ExitStack() as held:
        try:
            # Each by itself: one piece larger than the machine's memory would be refused,
            # although stacks are not, which are hardly ever used.
            for _ in range(threads):
                held.enter_context(mmap(-1, _OF_A_THREAD))
        except OSError as error:
            raise MemoryError(f"for {threads} threads") from error


def is_exhausted(error: BaseException) -> bool:
    """Tell whether `error` says that there is no memory, for an object, a thread or a library."""
    texts = {RuntimeError: "can't start new thread", ImportError: "failed to map segment"}
    told = any(isinstance(error, kind) and text in str(error) for kind, text in texts.items())
    return told or isinstance(error, MemoryError)
