"""Runs in a process of their own that can be killed: at a point, at a moment, or not at all."""

from __future__ import annotations

import gc
import os
import pickle
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from sync.config.sections import Removals
from sync.core.clock import utc_now
from sync.database.store import Store
from sync.database.writes import RunCounts
from sync.forges.github.client import GitHubClient
from sync.load.loading import Choice
from sync.resources import OF_REPOSITORIES
from sync.run.outcome import RunOutcome
from tests.support.crash_points import Point, Points
from tests.support.database import HandClock
from tests.support.database_processes import Child, spawned
from tests.support.ledger_state import State, state_of
from tests.support.runs import sync

_PATIENCE = 90  # seconds that one run may take before it counts as hung


@dataclass(frozen=True, kw_only=True)
class Order:
    """A run to be done: of which account, with what, into which ledger.

    It is killed at the point called `fatal`, or after so many `seconds`; the points and the
    state of the ledger after each transaction are told if it is to be `recorded`. With
    `resources` it reads all of them. With `wait` it waits for another run of the account. `now` is
    its time, if that does not pass.
    """

    url: str
    api_url: str
    token: str
    account: str = "me"
    removals: Removals = field(default_factory=Removals)
    accept: bool = False
    resources: bool = False
    wait: bool = False
    now: datetime | None = None
    fatal: str | None = None
    seconds: float | None = None
    recorded: bool = False
    result: Path = Path()


@dataclass(frozen=True)
class Ended:
    """A run that nobody has killed: how it ended, how long it took, what it came by."""

    status: str
    counts: RunCounts
    seconds: float
    points: tuple[Point, ...]
    states: tuple[State, ...]


class MortalRuns:
    """A process that has all it needs in memory, and makes a fork of itself for each run."""

    def __init__(self, child: Child, folder: Path) -> None:
        self._child = child
        self._result = folder / "result"

    def run(self, order: Order) -> Ended | None:
        """Carry out an order; return None if the run was killed."""
        self._child.send(replace(order, result=self._result))
        code = self._child.receive()
        assert code in (0, -signal.SIGKILL), f"the run ended with {code}"
        if code:
            return None
        ended = pickle.loads(self._result.read_bytes())
        assert isinstance(ended, Ended)
        return ended


@contextmanager
def mortal_runs(folder: Path, rehearsal: Order) -> Iterator[MortalRuns]:
    """Yield a process that carries out orders; `rehearsal` is one that it carries out itself."""
    with spawned(_runs_in_forks, rehearsal) as child:
        yield MortalRuns(child, folder)


def _runs_in_forks(pipe: Any, rehearsal: Order) -> None:
    with capture_logs():
        carried_out(rehearsal)  # what is loaded and computed once is there for every fork
    assert threading.active_count() == 1
    gc.freeze()
    while True:
        order = pipe.recv()
        pid = os.fork()
        if pid == 0:
            _run_and_exit(order)
        pipe.send(_exit_code(pid, order.seconds))


def _exit_code(pid: int, seconds: float | None) -> int:
    """Return how a process ended, by itself or because it was killed after so many seconds."""
    descriptor = os.pidfd_open(pid)
    if not select.select([descriptor], [], [], seconds)[0]:
        os.kill(pid, signal.SIGKILL)
    os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _run_and_exit(order: Order) -> None:
    try:
        signal.alarm(_PATIENCE)
        order.result.write_bytes(pickle.dumps(_run(order)))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        with suppress(OSError):
            sys.stderr.flush()
    finally:
        os._exit(1)


def _run(order: Order) -> Ended:
    states: list[State] = []

    def look() -> None:
        if order.recorded:
            states.append(state_of(order.url))

    look()
    points = Points(order.fatal, look)
    points.watch()
    began = time.monotonic()
    outcome = carried_out(order)
    seconds = time.monotonic() - began
    return Ended(outcome.status, outcome.counts, seconds, tuple(points.passed), tuple(states))


def carried_out(order: Order) -> RunOutcome:
    """Do the run in this process; it is not killed."""
    clock = utc_now if order.now is None else HandClock(order.now)
    chosen = tuple(Choice(resource=each) for each in OF_REPOSITORIES) if order.resources else ()
    with (
        Store(order.url, clock=clock) as store,
        GitHubClient(token=order.token, api_url=order.api_url, clock=clock) as client,
    ):
        return sync(
            client,
            store,
            account=order.account,
            removals=order.removals,
            accept_removals=order.accept,
            wait=order.wait,
            resources=chosen,
        )
