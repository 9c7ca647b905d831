"""What may happen in the middle of a run: changes at the server, failures, the end of a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from sync.sandbox import Request, Sandbox
from tests.support.database import HandClock
from tests.support.walk_checks import Watch

PROBES = "/repositories/*"


class CrashedError(Exception):
    """A run meets an exception that nobody foresaw."""


class DiedError(BaseException):
    """The process of a run has died, as far as the ledger can tell."""


class MortalClock(HandClock):
    """A clock that kills whoever reads it, once it was read `left` times more."""

    left: int | None = None

    def __call__(self) -> datetime:
        if self.left is not None:
            if self.left <= 0:
                raise DiedError
            self.left -= 1
        return self.now


@dataclass(slots=True)
class Event:
    """Something that happens before a request for `path` is answered, after `later` others.

    One that is `certain` happens in any case: when the run is over, if not before.
    """

    later: int
    act: Callable[[], object]
    path: str = "*"
    certain: bool = False


class Turmoil:
    """The events of a run, told of each request; `watch` sees what each of them does."""

    def __init__(self, sandbox: Sandbox, watch: Watch, events: list[Event]) -> None:
        self._sandbox = sandbox
        self._watch = watch
        self._left = sorted(events, key=lambda event: event.later)

    def __call__(self, request: Request) -> None:
        with self._sandbox.lock:
            for event in [e for e in self._left if fnmatchcase(request.path, e.path)]:
                event.later -= 1
                if event.later < 0:
                    self._happens(event)

    def end(self) -> None:
        """Let happen what is certain and has not yet; nothing happens any more then."""
        with self._sandbox.lock:
            for event in list(self._left):
                if event.certain:
                    self._happens(event)
            self._left.clear()

    def _happens(self, event: Event) -> None:
        self._left.remove(event)
        event.act()
        self._watch.look()
