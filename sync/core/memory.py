"""Allocator settings, the end of a process, and recognising out-of-memory errors."""

from __future__ import annotations

import errno
import gc
from contextlib import ExitStack, suppress

_M_ARENA_MAX = -8  # of glibc's malloc.h
_OF_A_THREAD = 10 * 1024 * 1024  # bytes: a thread's usual stack of 8 MiB and its first objects

EXHAUSTED = (
    "out of memory: the limit of this process (ulimit -v) or of the machine is reached. "
    "Stored rows stay; run it again with more memory to continue"
)


def keep_one_heap() -> None:
    """Make all threads allocate from one heap.

    glibc otherwise reserves 64 MiB of address space for each thread, which counts towards
    `ulimit -v`. Python's threads rarely allocate at the same time.
    """
    with suppress(ImportError, OSError, AttributeError, TypeError):  # another C library
        import ctypes

        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def skip_exit_collection() -> None:
    """Skip the garbage collection at Python's exit, a fifth of a short command's time.

    The system frees the memory at once. To be called when everything is closed.
    """
    gc.freeze()


def require_room(threads: int) -> None:
    """Raise MemoryError unless there is address space for `threads` threads.

    Python waits for ever for a thread that has a stack but no memory for its first objects.
    """
    from mmap import mmap

    with ExitStack() as held:
        try:
            # One mapping per thread: the system may refuse a single one larger than its memory,
            # but not stacks, which are hardly used.
            for _ in range(threads):
                held.enter_context(mmap(-1, _OF_A_THREAD))
        except OSError as error:
            raise MemoryError(f"for {threads} threads") from error


# Words of out-of-memory errors that are not MemoryError: of a thread, of an extension module.
_TOLD = {
    RuntimeError: "can't start new thread",
    ImportError: "failed to map segment",
    SystemError: "without ",
}


def is_exhausted(error: BaseException) -> bool:
    """Return whether `error` is about memory: for an object, a thread or a library."""
    told = any(isinstance(error, kind) and text in str(error) for kind, text in _TOLD.items())
    refused = isinstance(error, OSError) and error.errno == errno.ENOMEM
    return told or refused or isinstance(error, MemoryError)
