"""What happens at a GitHub between the runs of a crash sweep: every kind of change there is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sync.config.sections import Removals
from sync.sandbox import Answer, Request, Sandbox
from tests.conftest import TOKEN

OTHERS_TOKEN = "ghp_" + "u1" * 18
MANY = 203  # repositories, on three pages
_BEGINNING = datetime(2021, 1, 1, tzinfo=UTC)
_FIRST = 500_000_001
# Repositories by their place in the listing.
_TOOL, _KIT = _FIRST + MANY, _FIRST + MANY + 1  # strangers' and hubber's, that octo works on


def nth(number: int) -> int:
    """Return the id of octo's repository with this number, from 0."""
    return _FIRST + number


class Step(NamedTuple):
    """What happens at GitHub, and how the account me is then synced.

    `bulky` is a run of so many statements that its transactions alone are swept one by one.
    `resources`: whether all resources are read.
    """

    name: str
    happens: Callable[[Sandbox], None]
    removals: Removals = Removals()
    accept: bool = False
    bulky: bool = False
    resources: bool = False


def _nothing(github: Sandbox) -> None:
    pass


def _changes(github: Sandbox) -> None:
    github.edit(nth(2), description="another")
    github.star(nth(3))
    github.rename(nth(120), "renamed")
    github.push(nth(121))
    github.archive(nth(202))
    github.add_repository("octo", "new", created_at=_BEGINNING + timedelta(days=900))
    github.add_object({"id": 77, "full_name": "octo/broken", "name": 5}, "octo")


def _departures(github: Sandbox) -> None:
    github.delete(77)
    github.delete(nth(4))
    github.block(nth(5))
    github.make_private(nth(2))
    github.make_private(nth(130))
    github.transfer(nth(6), "stranger")
    github.hide(nth(7))
    github.remove_collaborator("octo", _TOOL)
    github.remove_collaborator("octo", _KIT)
    github.star(nth(8))


def _returns(github: Sandbox) -> None:
    github.unblock(nth(5))
    github.make_public(nth(2))
    github.transfer(nth(6), "octo")
    github.unhide(nth(7))
    github.add_collaborator("octo", _TOOL)
    github.add_repository("octo", "repo-004", created_at=_BEGINNING + timedelta(days=901))


def _much_is_gone(github: Sandbox) -> None:
    for number in range(10, 120):
        github.delete(nth(number))


STEPS = (
    Step("the first load", _nothing),
    Step("a run in which nothing is new", _nothing),
    Step("changes, new ones, and a broken one", _changes),
    Step("departures", _departures),
    Step("returns", _returns),
    Step("one to be purged", lambda g: g.make_private(nth(140)), Removals(on_private="purge")),
    Step("much is gone, which is withheld", _much_is_gone),
    Step("much is gone, which is accepted", _nothing, accept=True, bulky=True),
)


class DeadlySandbox(Sandbox):
    """A GitHub that kills a process when it is asked for something for the nth time.

    `moment` is "before" or "after" it has an answer, which never arrives. Whoever arms it
    then has to say which process is meant.
    """

    def __init__(self) -> None:
        super().__init__()
        self._victim: Future[subprocess.Popen[str]] = Future()
        self._moment, self._countdown = "", 0

    def arm(self, moment: str, number: int) -> Future[subprocess.Popen[str]]:
        with self.lock:
            self._victim, self._moment, self._countdown = Future(), moment, number
            return self._victim

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self._countdown -= 1
            moment = self._moment if self._countdown == 0 else ""
        if moment == "before":
            self._kill()
        answer = super().answer(request)
        if moment == "after":
            self._kill()
        return answer

    def _kill(self) -> None:
        process = self._victim.result(timeout=10)
        process.kill()
        process.wait()


@contextmanager
def scene() -> Iterator[DeadlySandbox]:
    """Yield the GitHub of the story, before its first step.

    hubber, whom the account other is, lists some of what octo lists.
    """
    with DeadlySandbox() as github:
        github.add_user("octo", token=TOKEN)
        github.add_user("hubber", token=OTHERS_TOKEN)
        github.add_user("stranger")
        for token in (TOKEN, OTHERS_TOKEN):
            github.set_quota(token, limit=10**9)
        for number in range(MANY):
            created = _BEGINNING + timedelta(days=number)
            github.add_repository("octo", f"repo-{number:03}", created_at=created)
        github.add_repository("stranger", "tool", created_at=_BEGINNING + timedelta(days=500))
        github.add_repository("hubber", "kit", created_at=_BEGINNING + timedelta(days=501))
        for id_ in (_TOOL, _KIT):
            github.add_collaborator("octo", id_)
        for number in (2, 5, 120, 140):
            github.add_collaborator("hubber", nth(number))
        yield github
        assert github.errors == []
