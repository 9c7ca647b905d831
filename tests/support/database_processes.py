"""Other processes that use a ledger: started, told what to do, frozen, killed.

Each target gets its end of a pipe first. A process is a fresh interpreter and
does not outlive the block that started it.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import filelock  # noqa: F401  # here, since a process without rights may not be able to read it
from sqlalchemy import Engine, event

from sync.core.errors import DatabaseError
from sync.database import migrate
from sync.database.dialects import sqlite  # noqa: F401  # as above
from sync.database.queries import Ledger
from sync.database.store import Store
from sync.database.writes import RunCounts
from tests.support.database import HOST, Json, repository, store_page

DEADLINE = 60.0  # seconds until a process that says nothing counts as stuck


class Child:
    """A process of its own that runs `target(pipe, *args)`."""

    def __init__(self, target: Callable[..., None], *args: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=target, args=(theirs, *args), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def send(self, value: Any) -> None:
        self.pipe.send(value)

    def receive(self) -> Any:
        """Return what the process sends next. Raises EOFError if it ends instead."""
        if not self.pipe.poll(DEADLINE):
            raise TimeoutError("the process says nothing")
        return self.pipe.recv()

    def kill(self) -> None:
        """End the process the hard way, and wait until it is gone."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join()

    def freeze(self) -> None:
        """Stop the process where it is, and wait until it stands still."""
        os.kill(self.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            raise ChildProcessError("the process ended instead of stopping")

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        if self._process.is_alive():
            self.kill()
        self._process.close()
        self.pipe.close()


@contextmanager
def spawned(target: Callable[..., None], *args: Any) -> Iterator[Child]:
    """Yield a process that runs `target(pipe, *args)`; it does not outlive the block."""
    child = Child(target, *args)
    try:
        yield child
    finally:
        child.close()


# What they do


def migrates_on_demand(pipe: Any) -> None:
    """Migrate each URL that arrives; answer with the revisions, or with what went wrong."""
    while True:
        url = pipe.recv()
        try:
            pipe.send(migrate.upgrade(url))
        except Exception as error:
            pipe.send(repr(error))


def hangs_in_migration(pipe: Any, url: str, pattern: str) -> None:
    """Migrate, but say so and hang before the first statement that matches `pattern`."""

    def hang(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if re.search(pattern, statement):
            pipe.send("hanging")
            pipe.recv()

    event.listen(Engine, "before_cursor_execute", hang)
    migrate.upgrade(url)
    pipe.send("migrated")


def starts_run_and_waits(pipe: Any, url: str, account: str) -> None:
    """Start a run; write a page when told to, and say what came of it."""
    with Store(url) as store:
        run = store.start_run(account, HOST, "backfill")
        pipe.send(run.generation)
        pipe.recv()
        try:
            store_page(store, run, repository(1, "octo/late"))
        except DatabaseError as error:
            pipe.send(type(error).__name__)
        else:
            pipe.send("wrote")


def hangs_in_page(pipe: Any, url: str, account: str) -> None:
    """Start a run, write a page, and hang before its transaction is committed."""
    with Store(url) as store:
        run = store.start_run(account, HOST, "backfill")

        def work(page: Any) -> None:
            page.progress(RunCounts(pages=1), None)
            pipe.send("hanging")
            pipe.recv()

        store.transact(run, work)


def writes_pages(pipe: Any, url: str, account: str, pages: list[list[Json]]) -> None:
    """Start a run when told to, store pages, and finish it."""
    with Store(url) as store:
        pipe.send("ready")
        pipe.recv()
        run = store.start_run(account, HOST, "backfill")
        counts = RunCounts()
        for page in pages:
            inserted, updated, _ = store_page(store, run, *page).counts
            counts += RunCounts(pages=1, inserted=inserted, updated=updated)
        store.finish_run(run, status="succeeded", counts=counts, complete=True)
        pipe.send("done")


def takes_lock(pipe: Any, url: str, account: str, wait: bool = False) -> None:
    """Take an account's lock, and hold it until the end of the process."""
    with Store(url) as store:
        pipe.send("asking")
        try:
            with store.lock(account, wait=wait):
                pipe.send("held")
                pipe.recv()
        except DatabaseError as error:
            pipe.send(f"{type(error).__name__}: {error}")


def without_rights(pipe: Any, opener: str, url: str) -> None:
    """Use a database as somebody who owns nothing of it, and say what came of it."""
    migrate.revisions()  # which are files that such a one may not be able to read
    if os.geteuid() == 0:  # whom no file's mode stops
        os.seteuid(65534)
    pipe.send(attempt(opener, url))


def attempt(opener: str, url: str) -> str:
    """Use a database in one of the ways there are; return the error's kind and text."""
    try:
        if opener == "migrate":
            migrate.upgrade(url)
        elif opener == "write":
            with Store(url) as store:
                store.start_run("me", HOST, "backfill")
        elif opener == "lock":
            with Store(url) as store, store.lock("me"):
                pass
        else:
            with Ledger(url) as ledger:
                ledger.status()
    except DatabaseError as error:
        return f"{type(error).__name__}: {error}"
    return "worked"
