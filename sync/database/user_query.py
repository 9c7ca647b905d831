"""One statement of the user's, which can only read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from sync.core.errors import QueryRefused
from sync.database.dialects import Dialect
from sync.database.failures import reason_of, with_advice
from sync.database.query_advice import is_blank, with_names

_EXAMPLE = '"SELECT full_name FROM current_repositories"'
_AT_ONCE = 500  # rows in memory at a time


@contextmanager
def answered(
    engine: Engine, dialect: Dialect, sql: str
) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """Execute a statement with a read-only `engine`; yield its column names and its rows.

    Raises QueryRefused with the database's own words, and the names that there are if the
    statement has a wrong one.
    """
    reason = ""
    try:
        sql.encode()
    except UnicodeEncodeError:  # the command line is not valid UTF-8
        raise QueryRefused("the statement is not valid text") from None
    if is_blank(sql):
        raise QueryRefused(f"the statement is empty; write one, such as {_EXAMPLE}")
    with engine.connect() as connection:
        dialect.take_any_value(connection)
        # The session is closed at the end, to free locks that a function in the statement took.
        connection.detach()
        try:
            # Without parameters, so that `%` and `?` in the statement have no special meaning.
            # The rows stay on the server until they are fetched.
            bare = connection.execution_options(
                no_parameters=True,
                stream_results=dialect.is_streamable(sql),
                max_row_buffer=_AT_ONCE,
            )
            result = bare.exec_driver_sql(sql)
            if result.returns_rows:
                yield list(result.keys()), (tuple(row) for row in result)
                return
            reason = "the statement returns no rows; only reading is possible here"
        except DBAPIError as error:
            reason = reason_of(error)
    raise QueryRefused(with_names(engine, sql, with_advice(reason)))
