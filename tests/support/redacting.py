"""Secrets that are masked in this process: kept apart from one test to the next.

They are known to the whole process, and a secret of one test is an ordinary word in another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sync import redaction


@contextmanager
def secrets_as_before() -> Iterator[None]:
    """Forget at the end what was made known in the block."""
    known, passing = set(redaction._known), list(redaction._passing)
    listed = redaction._longest_first
    yield
    _know(known, passing, listed)


@contextmanager
def no_secrets() -> Iterator[None]:
    """Know of no secret at the beginning of the block, and at its end of those before it."""
    with secrets_as_before():
        _know(set(), [], ())
        yield


def _know(known: set[str], passing: list[str], listed: tuple[str, ...]) -> None:
    redaction._known.clear()
    redaction._known.update(known)
    redaction._passing.clear()
    redaction._passing.extend(passing)
    redaction._longest_first = listed
