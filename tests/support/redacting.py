"""Secrets that are masked in this process: kept apart from one test to the next.

They are known to the whole process, and a secret of one test is an ordinary word in another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sync.core import redaction


@contextmanager
def secrets_as_before() -> Iterator[None]:
    """Forget at the end what was made known in the block."""
    staying, passing = redaction._permanent.copy(), dict(redaction._short_lived)
    yield
    _know(staying, passing)


@contextmanager
def no_secrets() -> Iterator[None]:
    """Know of no secret at the beginning of the block, and at its end of those before it."""
    with secrets_as_before():
        _know(Counter(), {})
        yield


def _know(staying: Counter[str], passing: dict[str, None]) -> None:
    for known in (redaction._permanent, redaction._short_lived, redaction._known):
        known.clear()
    redaction.protect(*staying.elements())
    redaction.protect_short_lived(*passing)
