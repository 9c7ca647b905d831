"""The user's own statements on a server.

Its read-only sessions refuse to change rows, but let files be written,
settings be changed and sessions be ended. So only a statement that begins as
one that reads is sent at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine, event

from sync.errors import QueryRefused

_ONLY_READING = "only reading is possible here"


def refuse_other_than(
    words: Sequence[str],
    engine: Engine,
    *,
    comments: str,
    never: str = r"(?!)",
    send: Callable[[Any, str], object] = lambda cursor, statement: cursor.execute(statement),
) -> None:
    """Have `engine` refuse a statement without parameters that begins with none of `words`.

    `comments` is a pattern of what the server takes for one, which must match
    no less than the server does, and `never` is one of what no statement may
    hold, wherever it stands. The rest is sent by `send`. Raises QueryRefused.
    """
    before = re.compile(rf"[ \t\n\r\f\v(]+|{comments}", re.DOTALL)
    # What follows the word must not make it the beginning of a longer name.
    begins = re.compile(rf"(?:{'|'.join(words)})(?![\w$]|[^\0-\x7f])", re.IGNORECASE)
    refused = re.compile(never, re.IGNORECASE)

    def check_and_send(cursor: Any, statement: str, _context: object) -> bool:
        # One after the other: no shorter comment is tried if the first word is a wrong one.
        start = 0
        while found := before.match(statement, start):
            start = found.end()
        if not begins.match(statement, start):
            raise QueryRefused(
                f"the statement does not begin with {', '.join(words[:-1])} or {words[-1]}: "
                f"{_ONLY_READING}"
            )
        if found := refused.search(statement):
            raise QueryRefused(f"the statement holds {found[0]}: {_ONLY_READING}")
        send(cursor, statement)
        return True  # SQLAlchemy has nothing left to send

    event.listen(engine, "do_execute_no_params", check_and_send)
