"""A random walk: a GitHub that changes, a ledger that follows, and what can be said of both.

Each step is drawn by weight from `STEPS` with one `Random`: a change at GitHub, a run with or
without trouble, a look at the past. The same seed gives the same walk. What does not hold is told
with the seed and the last steps.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from sync.run.dry_run import Difference
from sync.run.outcome import RunOutcome
from tests.support.database import snapshot
from tests.support.walk_changes import change
from tests.support.walk_past import replays
from tests.support.walk_runs import INTERESTING, Runs
from tests.support.walk_turmoil import PROBES
from tests.support.walk_world import Account

ROUNDS = 12  # of runs of each account, until nothing is withheld
TOLD = 40  # steps up to the one that failed


def seeds(*fixed: int) -> tuple[int, ...]:
    """Return these seeds, or instead of them the one that the environment names."""
    given = os.environ.get("WALK_SEED")
    return (int(given),) if given else fixed


class Walk(Runs):
    """A walk; see `Runs` for what it is made with."""

    def go(self, steps: int) -> None:
        """Take so many steps, then settle, and look at the whole past."""
        lines: deque[str] = deque(maxlen=TOLD)
        for number in range(steps + 2):
            last = (Walk.settle, Walk.look_at_all_the_past)
            step = self._drawn() if number < steps else last[number - steps]
            self.wait(self.rng.randint(1, 90))
            lines.append(f"{number} {self.clock.now:%m-%d %H:%M:%S} {step.__name__}: ")
            try:
                lines[-1] += step(self)
                assert self.sandbox.errors == []
            except Exception as error:
                story = "\n".join(lines)
                told = f"{error}\nThe seed is {self.seed}; the last steps are\n{story}"
                raise AssertionError(told) from error
            self.counts[step.__name__] += 1

    def _drawn(self) -> Step:
        weights, steps = zip(*STEPS, strict=True)
        drawn: Step = self.rng.choices(steps, weights)[0]
        return drawn

    @property
    def figures(self) -> str:
        """What the walk has seen, for people."""
        return ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))

    # Steps beside runs

    def change(self) -> str:
        return change(self.world)

    def time_passes(self) -> str:
        self.wait(self.rng.choice((1, 3600, 86_400)) * self.rng.random() * 4)
        return f"it is {self.clock.now}"

    def remember(self) -> str:
        moment = self.rng.choice((self.ran_at, self.clock.now))
        self.past.keep(moment)
        return f"snapshot {len(self.past) - 1} of {moment}"

    def look_back(self) -> str:
        count = len(self.past)
        chosen = self.rng.sample(range(count), min(count, 2))
        self.past.is_told(chosen, self.clock.now)
        return f"snapshots {chosen}"

    def look_at_all_the_past(self) -> str:
        self.past.is_told(list(range(len(self.past))), self.clock.now)
        return f"{len(self.past)} snapshots"

    # Runs

    def sync(self) -> str:
        account = self._any()
        return _told(account, self.run(account, full=self.rng.random() < 0.2))

    def sync_alone(self) -> str:
        """Sync one account while the other is not configured, as in another configuration."""
        account = self._any()
        return _told(account, self.run(account, alone=True))

    def sync_both(self) -> str:
        ended = zip(self.world.accounts, self.run_both(), strict=True)
        return " | ".join(_told(account, outcome) for account, outcome in ended)

    def sync_while_it_changes(self) -> str:
        account = self._any()
        changes, done = self.changes()
        return _told(account, self.run(account, changes), done)

    def sync_in_trouble(self) -> str:
        account = self._any()
        trouble, name = self.trouble(account)
        return _told(account, self.run(account, [trouble]), [name])

    def sync_losing_answers(self) -> str:
        """Sync while some of the questions for a single repository are not answered."""
        account = self._any()
        lost = [self.refusal(PROBES, later) for later in range(4) if self.rng.random() < 0.5]
        return _told(account, self.run(account, lost), [f"{len(lost)} answers lost"])

    def sync_in_turmoil(self) -> str:
        account = self._any()
        changes, done = self.changes()
        trouble, name = self.trouble(account)
        lost = self.refusal(PROBES, self.rng.randint(0, 3))
        return _told(account, self.run(account, [*changes, trouble, lost]), [*done, name])

    def sync_as_foretold(self) -> str:
        """Ask for a dry run, which writes nothing; then sync, which does what was told."""
        account = self._any()
        before = snapshot(self.url)
        told = _foretold(self.dry_run(account))
        assert snapshot(self.url) == before, "a dry run wrote something"
        outcome = self.run(account)
        assert outcome is not None
        done = {name: getattr(outcome.counts, name) for name in told}
        assert told == done, f"foretold {told}, done {done}"
        return _told(account, outcome)

    def settle(self) -> str:
        """Sync both accounts until nothing is withheld; then all must be as the server says."""
        had = self.view.look().live
        for attempt in range(ROUNDS):
            ended = [self.run(one, accept=attempt > 0) for one in self.world.accounts]
            if all(outcome is not None and outcome.status == "succeeded" for outcome in ended):
                break
        else:
            raise AssertionError(f"nothing settles it: {ended}")
        for (
            one
        ) in self.world.accounts:  # what was found private by one, the others have to have seen
            self.run(one)
        self.checks.settled(had)
        replays(self.view)
        self._nothing_more_is_written()
        return f"after {attempt + 1} rounds"

    def _nothing_more_is_written(self) -> None:
        def written() -> tuple[Any, ...]:
            rows = self.view.rows("payload", "first_seen_at")
            return rows, self.view.look(), self.view.length_of_log(), self.view.newest_metrics()

        before = written()
        for account in self.world.accounts:
            self.run(account, full=self.rng.random() < 0.3)
        assert written() == before, "a second run wrote something"

    def _any(self) -> Account:
        return self.rng.choice(self.world.accounts)


def _foretold(differences: Iterable[Difference]) -> dict[str, int]:
    """Return the counts of the run that a dry run tells of."""
    kinds = {
        "inserted": ("insert",),
        "removed": ("remove", "leave", "purge"),
        "restored": ("restore",),
        "withheld": ("withhold",),
    }
    actions = [one.action for one in differences if not _was_removed_before(one)]
    return {name: sum(a in kind for a in actions) for name, kind in kinds.items()}


def _was_removed_before(difference: Difference) -> bool:
    """Tell whether a repository is purged that an earlier run has removed."""
    fields = [change.field for change in difference.changes]
    return difference.action == "purge" and "removed_at" in fields


def _told(account: Account, outcome: RunOutcome | None, meanwhile: Iterable[str] = ()) -> str:
    """Return how a run ended as a line of the story."""
    counts = outcome.counts.as_dict() if outcome else {}
    told = [f"{counts[name]} {name}" for name in INTERESTING if counts.get(name)]
    return "; ".join([account.name, outcome.status if outcome else "crashed", *told, *meanwhile])


Step = Callable[[Walk], str]
STEPS: tuple[tuple[float, Step], ...] = (
    (75, Walk.change),
    (4, Walk.time_passes),
    (4, Walk.sync),
    (1, Walk.sync_alone),
    (1.5, Walk.sync_both),
    (6, Walk.sync_while_it_changes),
    (5, Walk.sync_in_trouble),
    (3, Walk.sync_losing_answers),
    (3, Walk.sync_in_turmoil),
    (1, Walk.sync_as_foretold),
    (2, Walk.settle),
    (1.5, Walk.remember),
    (1.5, Walk.look_back),
)
