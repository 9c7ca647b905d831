"""A filter for the user's own statements on a server.

A read-only session refuses changes of rows, but not of files, settings or other sessions. So
only statements that begin with a reading keyword are sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine, event

from sync.core.errors import QueryRefused

_ONLY_READING = "only reading is possible here"


def begins_with(words: Sequence[str], statement: str, *, comments: str) -> bool:
    """Return whether the first word of a statement, after blanks and comments, is in `words`."""
    before = re.compile(rf"[ \t\n\r\f\v(]+|{comments}", re.DOTALL)
    # Not if the word is only the beginning of a longer name.
    begins = re.compile(rf"(?:{'|'.join(words)})(?![\w$]|[^\0-\x7f])", re.IGNORECASE)
    # One match after the other, so that no backtracking tries a shorter comment.
    start = 0
    while found := before.match(statement, start):
        start = found.end()
    return begins.match(statement, start) is not None


def refuse_other_than(
    words: Sequence[str],
    engine: Engine,
    *,
    comments: str,
    hidden: str = r"(?!)",
    never: str = r"(?!)",
    send: Callable[[Any, str], object] = lambda cursor, statement: cursor.execute(statement),
) -> None:
    """Make `engine` refuse statements without parameters that begin with none of `words`.

    `comments`: a pattern for comments, which must match all that the server takes for one.
    `never`: a pattern that no statement may match outside of texts, quoted names and comments,
    for which `hidden` is the pattern; it must match nothing else. `send` sends the other
    statements. Raises QueryRefused.
    """
    unseen = re.compile(hidden, re.DOTALL)
    refused = re.compile(never, re.IGNORECASE)

    def check_and_send(cursor: Any, statement: str, _context: object) -> bool:
        if not begins_with(words, statement, comments=comments):
            raise QueryRefused(
                f"the statement does not begin with {', '.join(words[:-1])} or {words[-1]}: "
                f"{_ONLY_READING}"
            )
        if found := refused.search(unseen.sub(" ", statement)):
            raise QueryRefused(f"the statement holds {found[0]}: {_ONLY_READING}")
        send(cursor, statement)
        return True  # SQLAlchemy must not send it again

    event.listen(engine, "do_execute_no_params", check_and_send)
