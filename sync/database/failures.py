"""Translates the database's errors into ours, without the statement and its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sync.core.errors import DatabaseError, DatabaseUnusable, QueryRefused
from sync.core.redaction import printable, scrub

# Words of errors that no retry and no other statement can avoid.
_UNUSABLE = (
    *("not a database", "unable to open", "readonly", "read-only", "malformed"),
    *("authentication failed", "Access denied", "Unknown database", "permission denied"),
    *("invalid connection option", "connection is bad", "no password supplied"),
    *('FATAL:  database "', "READ ONLY transaction", "the driver cannot connect"),
)

# Advice by words of the error; the first match counts.
_ADVICE = (
    (("to database '",), "check the database's name, and GRANT the user rights on it"),
    (
        ("password authentication failed", "no password supplied", "Access denied for user"),
        "check the user, and the password in database.password_file or password_env",
    ),
    (("Did not specify a username", "local user with ID"), "name the user in the URL"),
    (("Unknown database", 'FATAL:  database "'), "make it first, with CREATE DATABASE"),
    (
        (
            *("Connection refused", "No such file or directory", "resolve host"),
            *("service not known", "'idna' codec"),
        ),
        "check the host and the port, and that the server runs",
    ),
    (
        ("Lock wait timeout", "due to lock timeout"),
        "another program has locked the table or some rows: end its transaction, and try again",
    ),
    (
        ("read-only transaction", "READ ONLY transaction"),
        "the server, the database or the user allows only reading: `repoledger check` says which",
    ),
    (
        ("resource (current value", "too many connections for role"),
        "that is a limit of the user's, and can be raised: a run needs two connections at a time",
    ),
    (("timed out", "timeout expired"), "check the host, the port and firewalls in between"),
    (
        ("certificate verify failed", "does not match host name", "root certificate file"),
        "check the CA's file in the URL, and the host's name",
    ),
    (("invalid connection option", "connection is bad"), "check the options in the URL"),
    (
        ("startup parameter",),
        "a pooler refuses the session's settings: connect to the server itself",
    ),
)

# Words of errors about a write on a connection that can only read.
_READ_ONLY = ("not authorized", "read-only transaction", "read only transaction")


class TransientDatabaseError(DatabaseError):
    """An error that may not occur again if the transaction is repeated."""


@contextmanager
def translated(
    where: str, is_transient: Callable[[DBAPIError], bool] = lambda _: False
) -> Iterator[None]:
    """Raise errors of SQLAlchemy as a DatabaseError that names `where`.

    As TransientDatabaseError if `is_transient` returns true.
    """
    reason, transient = None, False
    try:
        yield
    except SQLAlchemyError as error:
        reason = reason_of(error)
        transient = isinstance(error, DBAPIError) and is_transient(error)
    except UnicodeEncodeError:
        raise QueryRefused("the given name or value is not valid text (UTF-8)") from None
    if reason is None:
        return
    # Not chained: SQLAlchemy's error contains the statement's values, and a traceback would
    # show them.
    unusable = any(word in reason for word in _UNUSABLE)
    kind = TransientDatabaseError if transient else DatabaseUnusable if unusable else DatabaseError
    raise kind(f"{where}: {reason}{_advice(reason)}") from None


def _advice(reason: str) -> str:
    return next((f"; {advice}" for words, advice in _ADVICE if any(w in reason for w in words)), "")


def reason_of(error: SQLAlchemyError) -> str:
    """Return the driver's message on one line, without the values that it may quote."""
    original = getattr(error, "orig", None) or error
    words = original.args[1] if len(getattr(original, "args", ())) > 1 else original
    return printable(scrub(str(words).strip().partition("\n")[0]))[:300]


def with_advice(reason: str) -> str:
    """Return the reason for a refused statement, with a note if it tried to write."""
    if any(words in reason.lower() for words in _READ_ONLY):
        return f"{reason}: only reading is possible here"
    return reason
