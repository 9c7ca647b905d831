"""The database's errors as ours: what happened, without the statement and its values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from sync.errors import DatabaseError, DatabaseUnusable, QueryRefused
from sync.redaction import printable, scrub

# Said by SQLite of a file that no run can use, whatever is tried.
_UNUSABLE = ("not a database", "unable to open", "readonly", "read-only", "malformed")


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise what SQLAlchemy raises inside as a DatabaseError that names `where`."""
    reason = None
    try:
        yield
    except SQLAlchemyError as error:
        reason = reason_of(error)
    except UnicodeEncodeError:
        raise QueryRefused("what was asked for is not valid text") from None
    if reason is None:
        return
    # Without a chain: SQLAlchemy's error holds the values of the statement,
    # and what is chained shows up in tracebacks.
    unusable = any(word in reason for word in _UNUSABLE)
    raise (DatabaseUnusable if unusable else DatabaseError)(f"{where}: {reason}") from None


def reason_of(error: SQLAlchemyError) -> str:
    """Return the driver's own words for an error, on one line."""
    return printable(scrub(str(getattr(error, "orig", None) or error)))[:300]
