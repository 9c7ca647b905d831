"""The points that a run comes to, each with a name, and a process that dies at one of them.

They are not listed anywhere: whatever a run sends to a database, logs, asks of GitHub, or
does with its lock is a point, also what is written after this file.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Engine, Pool, event

_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM)\s+[\"`]?(\w+)", re.IGNORECASE)


class Point(NamedTuple):
    """A moment of a run.

    `commits` is how many transactions had been committed by then. `ordered` is whether it is
    always that many: what other threads do has no fixed place among them.
    """

    kind: str
    name: str
    commits: int
    ordered: bool


# What a run writes once a second, if it takes that long.
_BY_TIME = "RunWriter.note_progress"


class Points:
    """The points that this process has come to; at the one called `fatal` it kills itself.

    `on_commit` is called after each transaction. What it does itself has no points.
    """

    def __init__(self, fatal: str | None, on_commit: Callable[[], None]) -> None:
        self.passed: list[Point] = []
        self._fatal = fatal
        self._on_commit = on_commit
        self._commits = 0
        self._seen: Counter[str] = Counter()
        self._guard = threading.RLock()
        self._mine = threading.local()
        self._main = threading.get_ident()

    def watch(self) -> None:
        """Begin to notice what the process does, until it ends."""
        event.listen(Engine, "begin", self._begin)
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", self._before_commit)
        event.listen(Engine, "rollback", lambda _: self._end("before ROLLBACK"))
        event.listen(Pool, "checkin", self._checkin)
        structlog.configure(processors=[self._logged])
        sys.addaudithook(self._audited)

    def _visit(self, kind: str, name: str) -> None:
        if getattr(self._mine, "away", False):
            return
        with self._guard:
            self._seen[name] += 1
            if self._seen[name] > 1:
                name = f"{name} ({self._seen[name]})"
            if name == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            ordered = threading.get_ident() == self._main and _BY_TIME not in name
            self.passed.append(Point(kind, name, self._commits, ordered))

    # What it sends to the database

    def _begin(self, _: Any) -> None:
        if getattr(self._mine, "away", False):
            return
        asked = _who_asks(sys._getframe())
        self._seen[asked] += 1
        self._mine.transaction = f"transaction {self._seen[asked]} of {asked}"
        self._mine.committed = False

    def _statement(self, _c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        table = _TABLE.search(statement)
        words = f"{statement.split(None, 1)[0].upper()} {table[1] if table else ''}".strip()
        self._visit("statement", f"before {words} in {self._transaction}")

    def _before_commit(self, _: Any) -> None:
        self._end("before COMMIT")
        self._mine.committed = True

    def _end(self, what: str) -> None:
        self._visit("commit", f"{what} of {self._transaction}")

    def _checkin(self, *_: Any) -> None:
        if getattr(self._mine, "away", False) or not getattr(self._mine, "committed", False):
            return
        self._mine.committed, self._mine.away = False, True
        with self._guard:
            self._commits += 1
            self._on_commit()
        self._mine.away = False
        self._visit("commit", f"after COMMIT of {self._transaction}")

    @property
    def _transaction(self) -> str:
        return getattr(self._mine, "transaction", "no transaction")

    # What else can be noticed

    def _logged(self, _: Any, __: str, fields: Any) -> Any:
        self._visit("log", f"log {fields['event']}")
        raise structlog.DropEvent

    def _audited(self, what: str, arguments: tuple[Any, ...]) -> None:
        if what == "http.client.send":
            line = bytes(arguments[1]).split(b"\r\n", 1)[0].decode()
            path, _, query = line.rpartition(" ")[0].partition("?")
            page = re.search(r"\bpage=\d+", query)
            self._visit("request", f"before {path} {page[0] if page else ''}".rstrip())
        elif what == "fcntl.flock":
            self._visit("lock", "before flock")
        elif what in ("open", "sqlite3.connect", "os.remove") and ".db" in str(arguments[0]):
            suffixes = "".join(Path(str(arguments[0]).partition("?")[0]).suffixes)
            self._visit("lock" if suffixes.endswith(".lock") else "file", f"{what} {suffixes}")


def _who_asks(frame: FrameType | None) -> str:
    """Return which of the product's functions a transaction is for, and which one makes it."""
    told: list[tuple[str, str]] = []
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("sync."):
            told.append((module, frame.f_code.co_qualname))
        frame = frame.f_back
    above, below = "", ""
    for module, name in reversed(told):
        if module.startswith("sync.database."):
            below = name
            break
        above = name
    return f"{above}: {below}" if above else below
