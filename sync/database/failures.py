"""The database's errors as ours: what happened, without the statement and its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.errors import DatabaseError, DatabaseUnusable, QueryRefused
from sync.redaction import printable, scrub

# Said of a database that no run can use, whatever is tried.
_UNUSABLE = (
    *("not a database", "unable to open", "readonly", "read-only", "malformed"),
    *("authentication failed", "Access denied", "Unknown database", "permission denied"),
    *("invalid connection option", "connection is bad", "no password supplied"),
    'FATAL:  database "',
)

# What to do, by what they say; the first that fits.
_ADVICE = (
    (("to database '",), "check the database's name, and GRANT the user rights on it"),
    (
        ("password authentication failed", "no password supplied", "Access denied for user"),
        "check the user, and the password in database.password_file or password_env",
    ),
    (("Unknown database", 'FATAL:  database "'), "make it first, with CREATE DATABASE"),
    (
        ("Connection refused", "No such file or directory", "resolve host", "service not known"),
        "check the host and the port, and that the server runs",
    ),
    (
        ("Lock wait timeout", "due to lock timeout"),
        "another program holds the table or rows of it: end its transaction, and try again",
    ),
    (("timed out", "timeout expired"), "check the host, the port and what is in between"),
    (
        ("certificate verify failed", "does not match host name", "root certificate file"),
        "check the CA's file in the URL, and the host's name",
    ),
    (("invalid connection option", "connection is bad"), "check the options in the URL"),
    (("startup parameter",), "a pooler in between refuses the session's settings: go without it"),
)

# How they say that a connection can only read.
_NOT_READING = ("not authorized", "read-only transaction", "read only transaction")


class Passing(DatabaseError):
    """What may be gone when it is tried again."""


@contextmanager
def translated(
    where: str, may_pass: Callable[[DBAPIError], bool] = lambda _: False
) -> Iterator[None]:
    """Raise what SQLAlchemy raises inside as a DatabaseError that names `where`.

    As Passing if `may_pass` says so.
    """
    reason, passing = None, False
    try:
        yield
    except SQLAlchemyError as error:
        reason = reason_of(error)
        passing = isinstance(error, DBAPIError) and may_pass(error)
    except UnicodeEncodeError:
        raise QueryRefused("what was asked for is not valid text") from None
    if reason is None:
        return
    # Without a chain: SQLAlchemy's error holds the values of the statement,
    # and what is chained shows up in tracebacks.
    unusable = any(word in reason for word in _UNUSABLE)
    kind = Passing if passing else DatabaseUnusable if unusable else DatabaseError
    raise kind(f"{where}: {reason}{_advice(reason)}") from None


def _advice(reason: str) -> str:
    return next((f"; {advice}" for words, advice in _ADVICE if any(w in reason for w in words)), "")


def reason_of(error: SQLAlchemyError) -> str:
    """Return the driver's own words for an error, on one line, without the values it may quote."""
    original = getattr(error, "orig", None) or error
    words = original.args[1] if len(getattr(original, "args", ())) > 1 else original
    return printable(scrub(str(words).strip().partition("\n")[0]))[:300]


def with_advice(reason: str) -> str:
    """Return why a statement was refused, and what is possible, if it was to write."""
    if any(words in reason.lower() for words in _NOT_READING):
        return f"{reason}: only reading is possible here"
    return reason
