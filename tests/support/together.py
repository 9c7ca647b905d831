"""Runs that read all resources, in processes of their own: several at once, frozen, thawed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Engine, Pool, event

from sync.core.errors import RepoledgerError
from sync.sandbox import Request
from tests.conftest import TOKEN
from tests.support import crash_resources
from tests.support.backfills import PATIENCE, Gate, end_sessions
from tests.support.crash_story import OTHERS_TOKEN, DeadlySandbox
from tests.support.database_processes import Child
from tests.support.ledger_copies import Copies, copies
from tests.support.ledger_state import State, effect_of, state_of
from tests.support.mortal_runs import Order, carried_out

INSIDE, BETWEEN = "in a transaction", "between two answers"
STEPS = [step.name for step in crash_resources.STEPS[1:]]  # when there are rows already
_ANSWER = re.compile(r"DELETE FROM page_cache .*\bresource\b", re.DOTALL)  # by each new answer
_WHOLE_AT = re.compile(r'"whole_at":"[^"]*"')
_RESOURCE = re.compile(r"/repositories/\d+/")
_GOOD = ("succeeded", "partial")  # partial: days of traffic are lost
_PAUSE_AT = 2  # the answer at which a run pauses, or after which


class End(NamedTuple):
    """How a run has ended, also one that could not begin; the type and the words of its error."""

    status: str
    error: str | None
    message: str

    @property
    def is_good(self) -> bool:
        return self.status in _GOOD


def runs(pipe: Any, order: Order, pause: str = "") -> None:
    """Carry out an order. Say "waiting", "paused" (and go on when told to), and how it ended."""

    def note(_: Any, __: str, fields: Any) -> Any:
        if fields["event"] == "sync.run_waiting":
            pipe.send("waiting")
        raise structlog.DropEvent

    structlog.configure(processors=[note])
    if pause:
        _pause(pipe, pause)
    try:
        outcome = carried_out(order)
    except RepoledgerError as error:
        pipe.send(End("not begun", error.code, str(error)))
    else:
        error_type = outcome.error.code if outcome.error else None
        pipe.send(End(outcome.status, error_type, str(outcome.error or "")))


def _pause(pipe: Any, moment: str) -> None:
    """Pause once: when an answer's rows are written and not committed, or after its COMMIT."""
    stored = 0
    written = False

    def statement(_c: Any, _cursor: Any, words: str, *_: Any) -> None:
        nonlocal stored, written
        if _ANSWER.search(words):
            stored, written = stored + 1, True

    def commit(_: Any) -> None:
        if moment == INSIDE:
            pause()

    def checkin(*_: Any) -> None:
        if moment == BETWEEN:
            pause()

    def pause() -> None:
        nonlocal written
        if threading.current_thread() is not threading.main_thread():
            return  # the one that keeps the lock
        due, written = written and stored == _PAUSE_AT, False
        if due:
            pipe.send("paused")
            pipe.recv()

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    event.listen(Pool, "checkin", checkin)


def but_who_was_first(state: State) -> State:
    """Leave out which of two accounts was the first to tell of a change.

    And when each has read the whole history of the stars: the second account does not, if the
    first one has mended the rows by then; at once, both find them in need of it. Either is right,
    since the rows are shared.
    """
    states = [
        {**row, "changed_at": None, "cursor": _WHOLE_AT.sub("", row["cursor"] or "")}
        for row in state["resource_states"]
    ]
    return {**state, "resource_states": states}


class Scene:
    """A GitHub and a ledger before a run of the accounts me and other.

    Both list the same repositories. `url` is the ledger that runs are let loose on.
    """

    def __init__(self, github: DeadlySandbox, before: str, ledgers: Copies) -> None:
        self.github = github
        self.url = ledgers.copy(before)
        self._copy = ledgers.copy(before)

    def order(self, account: str = "me", **options: Any) -> Order:
        return _order(self.github, self.url, account, **options)

    def undisturbed(self, *accounts: str) -> State:
        """Return what the runs of these accounts bring, one after the other, on a copy."""
        for account in accounts:
            assert carried_out(_order(self.github, self._copy, account)).status in _GOOD
        return effect_of(state_of(self._copy))

    @property
    def effect(self) -> State:
        """What was brought to the ledger."""
        return effect_of(state_of(self.url))

    @property
    def statuses(self) -> list[str]:
        """The status of each run that the ledger has recorded for this step."""
        before = len(state_of(self._copy)["sync_runs"])
        return [row["status"] for row in _by_id(state_of(self.url)["sync_runs"])][before:]

    def free_lock(self) -> None:
        """Take the lock of the account me from a frozen process, as an administrator can."""
        if self.url.startswith("sqlite:"):
            file = Path(self.url.removeprefix("sqlite:///"))
            file.with_name(f"{file.name}.me.lock").unlink()
        else:
            assert end_sessions(self.url)

    @contextmanager
    def held(self) -> Iterator[Gate]:
        """Have GitHub keep back what it is asked of resources until the gate is set."""
        gate = Gate()

        def hold(request: Request) -> None:
            if _RESOURCE.match(request.path):
                gate.reached.set()
                gate.wait(PATIENCE)

        self.github.on_request = hold
        try:
            yield gate
        finally:
            gate.set()
            self.github.on_request = None

    @contextmanager
    def held_for_both(self) -> Iterator[threading.Event]:
        """Have GitHub answer nothing about resources until both accounts have asked for some."""
        asked: set[str] = set()
        both = threading.Event()

        def hold(request: Request) -> None:
            if _RESOURCE.match(request.path):
                asked.add(request.headers["authorization"])
                if len(asked) == len((TOKEN, OTHERS_TOKEN)):
                    both.set()
                both.wait(PATIENCE)

        self.github.on_request = hold
        try:
            yield both
        finally:
            both.set()
            self.github.on_request = None


@contextmanager
def scene_before(kind: str, name: str, folder: Path) -> Iterator[Scene]:
    """Yield a scene in which a step has just happened, and those before it were read."""
    with crash_resources.scene() as github, copies(kind, folder) as ledgers:
        github.add_user("hubber", token=OTHERS_TOKEN, scopes=("public_repo",))
        github.set_quota(OTHERS_TOKEN, limit=10**9)
        for each in github.listing_of(TOKEN):
            github.add_collaborator("hubber", each["id"], permission="admin")
        url = ledgers.new()
        for step in crash_resources.STEPS:
            step.happens(github)
            if step.name == name:
                yield Scene(github, url, ledgers)
                return
            for account in ("me", "other"):
                assert carried_out(_order(github, url, account)).status in _GOOD


def first_to_tell(children: list[Child]) -> tuple[Child, Any]:
    """Return the process that says something first, and what it says."""
    pipes = {child.pipe: child for child in children}
    ready = wait(list(pipes), PATIENCE)
    child = pipes[ready[0]]  # type: ignore[index]
    return child, child.receive()


def _order(github: DeadlySandbox, url: str, account: str, **options: Any) -> Order:
    order = Order(
        url=url,
        api_url=github.url,
        token=TOKEN if account == "me" else OTHERS_TOKEN,
        account=account,
        resources=True,
        now=github.now(),
    )
    return replace(order, **options)


def _by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["id"])
