"""Kills runs at all of their points and at random moments, and looks what is left each time."""

from __future__ import annotations

import random
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from http import HTTPStatus
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from sync.database.writes import GOOD, RunCounts
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support import crash_resources, crash_story
from tests.support.backfills import Backfill
from tests.support.crash_points import Point
from tests.support.crash_story import OTHERS_TOKEN, DeadlySandbox, Step
from tests.support.database import HandClock
from tests.support.ledger_copies import Copies, copies
from tests.support.ledger_state import Row, State, differences, effect_of, state_of
from tests.support.mortal_runs import Ended, MortalRuns, Order, mortal_runs

_DONE = ("inserted", "updated", "removed", "restored")  # once, in however many runs


class Sweep:
    """A step of the story, its run undisturbed, and what came of runs that were killed."""

    def __init__(
        self, step: Step, github: DeadlySandbox, before: str, ledgers: Copies, process: MortalRuns
    ) -> None:
        self._github, self._before = github, before
        self._ledgers, self._process = ledgers, process
        self._order = _order(step, github, before)
        self._bulky = step.bulky
        # The last run, where the killed one has told what was lost and why that is partial.
        self._quiet = "succeeded" if step.resources else ""
        self._runs_before = len(state_of(before)["sync_runs"])
        self.undisturbed, self._expected = self._record()
        self.kills: Counter[str] = Counter()
        self.missed: list[str] = []
        self.differences: list[str] = []

    def _record(self) -> tuple[Ended, State]:
        """Let the run go on twice; points that are in one alone depend on the time of day."""
        kept = []
        for _ in range(2):
            url = self._ledgers.copy(self._before)
            ended = self._process.run(replace(self._order, url=url, recorded=True))
            assert ended is not None
            assert ended.status in GOOD
            kept.append((ended, effect_of(state_of(url))))
            self._lost = _lost(state_of(url))
            self._ledgers.discard(url)
        (first, state), (second, _) = kept
        again = {point.name for point in second.points}
        points = tuple(point for point in first.points if point.name in again)
        return replace(first, points=points, seconds=self._usual_seconds()), state

    def _usual_seconds(self) -> float:
        """Return what a run takes that nobody looks at."""
        url = self._ledgers.copy(self._before)
        ended = self._process.run(replace(self._order, url=url))
        assert ended is not None
        self._ledgers.discard(url)
        return ended.seconds

    @property
    def points(self) -> list[Point]:
        """The points that are worth a kill each."""
        return self.commits if self._bulky else list(self.undisturbed.points)

    @property
    def commits(self) -> list[Point]:
        return [point for point in self.undisturbed.points if point.kind == "commit"]

    @property
    def kinds(self) -> list[Point]:
        """The first point of each kind: of transactions that are alike, each point once."""
        first: dict[str, Point] = {}
        for point in self.undisturbed.points:
            first.setdefault(re.sub(r"\d+", "", point.name), point)
        return list(first.values())

    # Killing

    def kill_at(self, point: Point) -> None:
        """Kill a run at a point; the next one has to make good for it."""
        url = self._ledgers.copy(self._before)
        survived = self._process.run(replace(self._order, url=url, fatal=point.name))
        left = state_of(url)
        if survived is not None:
            if point.ordered:  # else it is for the threads to say whether it comes to that
                self.missed.append(point.name)
        else:
            self.kills[point.kind] += 1
            states = self.undisturbed.states
            allowed = (states[point.commits],) if point.ordered else states
            self._check_prefix(point.name, left, allowed)
        self._check_recovery(point.name, url, left)
        self._ledgers.discard(url)

    def kill_at_random(self, chance: random.Random) -> None:
        """Kill a run at some moment, and sometimes the next one, too; one may be quicker."""
        url = self._ledgers.copy(self._before)
        usual, times = self.undisturbed.seconds, chance.choice((1, 1, 2))
        moments = [chance.random() * usual for _ in range(times)]
        told = "killed after " + ", ".join(f"{moment:.4f} s" for moment in moments)
        for number, moment in enumerate(moments):
            killed = self._process.run(replace(self._order, url=url, seconds=moment)) is None
            self.kills["at a random moment"] += killed
            if number == 0:
                self._check_prefix(told, state_of(url), self.undisturbed.states)
        self._check_recovery(told, url)
        self._ledgers.discard(url)

    def kill_command(self, moment: str, number: int, folder: Path) -> bool:
        """Kill `repoledger backfill` "before" or "after" the nth answer; tell if it came to that.

        It is the command, too, that makes good for it.
        """
        url = self._ledgers.copy(self._before)
        victim = self._github.arm(moment, number)
        backfill = self._command(folder, url)
        victim.set_result(backfill.process)
        code = backfill.end().code
        assert code in (0, -signal.SIGKILL), backfill.log
        if code:
            told = f"killed {moment} answer {number}"
            self.kills[f"{moment} an answer"] += 1
            self._check_prefix(told, state_of(url), self.undisturbed.states)
            self._check_recovery(told, url, again=lambda: self._command(folder, url).counts())
        self._ledgers.discard(url)
        return bool(code)

    def _command(self, folder: Path, url: str) -> Backfill:
        other = {"NAME": "other", "TOKEN_ENV": "OTHERS_TOKEN"}
        accounts = {f"REPOLEDGER_ACCOUNTS__1__{key}": value for key, value in other.items()}
        options = ("--account", "me")
        return Backfill(self._github, folder, url, *options, OTHERS_TOKEN=OTHERS_TOKEN, **accounts)

    # Checking

    def _check_prefix(self, when: str, found: State, allowed: tuple[State, ...]) -> None:
        """What is stored is what whole transactions have left, the first ones of the run."""
        if found not in allowed:
            self.differences += [f"{when}: at once: {d}" for d in differences(found, allowed[-1])]

    def _run(self, url: str) -> RunCounts:
        ended = self._process.run(replace(self._order, url=url))
        assert ended is not None
        return ended.counts

    def _check_recovery(
        self,
        when: str,
        url: str,
        left: State | None = None,
        again: Callable[[], RunCounts] | None = None,
    ) -> None:
        """One more run makes the ledger what it would have been, and leaves no run running.

        `left` is what the dead one has left, if it is certain that no COMMIT was under way.
        """
        self._github.clear_requests()
        counts = again() if again else self._run(url)
        state = state_of(url)
        found = [*differences(effect_of(state), self._expected)]
        *dead, last = self._statuses(state)
        good = self.undisturbed.status
        wanted = dead if left is None else [_after(status) for status in self._statuses(left)]
        if (
            last not in {good, self._quiet}
            or dead != wanted
            or not {*dead} <= {"interrupted", good}
        ):
            found.append(f"runs: {self._statuses(state)}")
        if _lost(state) != self._lost:
            found.append(f"{_lost(state)} lost days are told instead of {self._lost}")
        done = tuple(sum(run[name] for run in self._runs(state)) for name in _DONE)
        expected = tuple(getattr(self.undisturbed.counts, name) for name in _DONE)
        if done != expected:
            found.append(f"counts of {_DONE}: {done} instead of {expected}")
        if _items(counts) != (shown := _shown(self._github, resources=self._order.resources)):
            found.append(f"GitHub has shown {shown} items, and {counts}")
        self.differences += [f"{when}: {difference}" for difference in found]

    def _runs(self, state: State) -> list[Row]:
        """Return the runs that were not there before, oldest first."""
        runs = sorted(state["sync_runs"], key=itemgetter("id"))
        return runs[self._runs_before :]

    def _statuses(self, state: State) -> list[str]:
        return [run["status"] for run in self._runs(state)]

    @property
    def figures(self) -> str:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.kills.items()))
        return (
            f"{len(self.undisturbed.points)} points, {self.kills.total()} kills ({kinds}), "
            f"{len(self.differences)} differences"
        )


def _lost(state: State) -> int:
    """Return how many days runs have told as lost."""
    return sum(row["lost_days"] for row in state["resource_runs"])


def _after(status: str) -> str:
    """Return what a run of a dead process becomes in the next one."""
    return "interrupted" if status == "running" else status


def _items(counts: RunCounts) -> int:
    """Return how many items the counts of a run tell of."""
    return counts.inserted + counts.updated + counts.unchanged + counts.rejected + counts.skipped


_SHOWS = (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)


def _shown(github: Sandbox, *, resources: bool) -> int:
    """Return how many items GitHub has shown in a run: in its listing, and asked for by id.

    With `resources`, repositories are asked for by id for the number of their watchers alone.
    """
    if resources:
        return len(github.listing_of(TOKEN))
    asked = [
        int(request.path.rpartition("/")[2])
        for request in github.requests
        if re.fullmatch(r"/repositories/\d+", request.path) and request.status in _SHOWS
    ]
    public = [id_ for id_ in asked if not github.get(id_)["private"]]
    return len(github.listing_of(TOKEN)) + len(public)


def _order(step: Step, github: Sandbox, url: str) -> Order:
    return Order(
        url=url,
        api_url=github.url,
        token=TOKEN,
        removals=step.removals,
        accept=step.accept,
        resources=step.resources,
        now=github.now() if isinstance(github.now, HandClock) else None,
    )


class Story(NamedTuple):
    """A GitHub before anything happens, and what happens. `others`: others' accounts list it."""

    scene: Callable[[], AbstractContextManager[DeadlySandbox]]
    steps: Sequence[Step]
    others: bool = False


REPOSITORIES = Story(crash_story.scene, crash_story.STEPS, others=True)
RESOURCES = Story(crash_resources.scene, crash_resources.STEPS)


@contextmanager
def swept(kind: str, name: str, folder: Path, story: Story = REPOSITORIES) -> Iterator[Sweep]:
    """Yield the sweep of a step, after the steps before it."""
    with ExitStack() as stack:
        github = stack.enter_context(story.scene())
        ledgers = stack.enter_context(copies(kind, folder))
        rehearsal = _order(story.steps[0], github, ledgers.new())
        process = stack.enter_context(mortal_runs(folder, rehearsal))
        url = ledgers.new()
        for step in story.steps:
            step.happens(github)
            if step.name == name:
                yield Sweep(step, github, url, ledgers, process)
                return
            mine = _order(step, github, url)
            process.run(mine)
            if story.others:
                process.run(replace(mine, token=OTHERS_TOKEN, account="other"))
