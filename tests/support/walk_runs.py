"""Runs of a walk: one account is synced while something happens, and what came of it is checked."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from random import Random
from threading import Event as StopEvent
from typing import Self, TypedDict, Unpack

import structlog

from sync.config.sections import Removals
from sync.database.queries import Ledger
from sync.database.scratch import scratch_ledger
from sync.database.store import Store
from sync.forges.forge import Visibility
from sync.forges.github.client import GitHubClient
from sync.rest import RetryPolicy
from sync.run.dry_run import Difference, DryRun
from sync.run.outcome import RunOutcome
from sync.sandbox import Sandbox
from tests.support.runs import AfterPage, sync
from tests.support.walk_changes import change, delete_an_old_one
from tests.support.walk_checks import Checks, Finished, Watch
from tests.support.walk_past import Past
from tests.support.walk_turmoil import (
    CrashedError,
    DiedError,
    Event,
    MortalClock,
    Turmoil,
)
from tests.support.walk_view import Look, View
from tests.support.walk_world import Account, World

INTERESTING = ("inserted", "updated", "removed", "restored", "withheld")
_ONCE = RetryPolicy(attempts=1)
_REFUSALS = (500, 502, 503, 403)


class How(TypedDict, total=False):
    """How an account is synced.

    `accept`: all that is missing may be. `full`: every page is asked for whole.
    `alone`: the other account is not configured.
    """

    accept: bool
    full: bool
    alone: bool


class Runs:
    """Runs into the ledger at `url`. `other` is the visibility of the second account.

    With `concurrency` above 1, the same seed need not tell the same story.
    """

    def __init__(
        self,
        url: str,
        seed: int,
        removals: Removals,
        *,
        other: Visibility = "public",
        concurrency: int = 1,
    ) -> None:
        self.url, self.seed, self.concurrency = url, seed, concurrency
        self.rng = Random(seed)
        self.removals = removals
        self.clock = MortalClock()
        self.counts: Counter[str] = Counter()
        self.sandbox = Sandbox(now=lambda: self.clock.now)
        self.world = World(self.sandbox, self.rng, other=other)
        self.names = tuple(account.name for account in self.world.accounts)
        self.ran_at = self.clock.now
        self._crashes = False
        self._taken_over: tuple[Look, int] | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        # Nobody reads the log of a thousand runs.
        silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
        structlog.configure(wrapper_class=silent)
        self._held.callback(structlog.reset_defaults)
        self._held.enter_context(self.sandbox)
        self.store = self._held.enter_context(Store(self.url, clock=self.clock))
        ledger = self._held.enter_context(Ledger(self.url))
        self.view = View(self.url)
        self._held.callback(self.view.close)
        self.checks = Checks(self.world, self.view, self.removals)
        purges = self.removals.on_private == "purge"
        self.past = Past(ledger, self.view, self.names, purges=purges)
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def wait(self, seconds: float) -> None:
        """Let time pass; a day that ends is told of as it was at its end."""
        before = self.clock.now
        self.clock.advance(seconds=seconds)
        if self.clock.now.date() != before.date():
            self.past.days_end(before)

    def run(
        self, account: Account, events: Iterable[Event] = (), **how: Unpack[How]
    ) -> RunOutcome | None:
        """Sync an account while something happens; check what came of it, and return it."""
        self.wait(1)
        self.ran_at, events = self.clock.now, list(events)
        self.world.touched.clear()
        watch, before = Watch(self.world), self.view.look()
        turmoil = Turmoil(self.sandbox, watch, events)
        self.sandbox.on_request = turmoil
        try:
            outcome = self._sync(account, **how)
        except (CrashedError, DiedError):
            outcome = None
        finally:
            self.sandbox.on_request = None
            turmoil.end()
            self._calm(account)
        finished = self._finished(account, before, watch, outcome, **how)
        self.checks.after_run(replace(finished, quiet=not events))
        self._count(outcome)
        return outcome

    def run_both(self) -> list[RunOutcome]:
        """Sync both accounts at the same time; check what came of it."""
        self.wait(1)
        self.ran_at = self.clock.now
        self.world.touched.clear()
        accounts, watch, before = self.world.accounts, Watch(self.world), self.view.look()
        with ThreadPoolExecutor(len(accounts)) as pool:
            outcomes = list(pool.map(self._sync, accounts))
        self.checks.after_both(
            [
                self._finished(account, before, watch, outcome)
                for account, outcome in zip(accounts, outcomes, strict=True)
            ]
        )
        for outcome in outcomes:
            self._count(outcome)
        return outcomes

    def _finished(
        self,
        account: Account,
        before: Look,
        watch: Watch,
        outcome: RunOutcome | None,
        **how: Unpack[How],
    ) -> Finished:
        return Finished(
            account=account,
            before=before,
            after=self.view.look(),
            safe=watch.safe,
            outcome=outcome,
            quiet=True,
            accepted=how.get("accept", False),
            configured=self._configured(account, **how),
        )

    def _configured(self, account: Account, **how: Unpack[How]) -> tuple[str, ...]:
        return (account.name,) if how.get("alone", False) else self.names

    def _calm(self, account: Account) -> None:
        """End what is wrong beside the changes; check that a run that was overtaken has stopped."""
        self.clock.left, self._crashes = None, False
        self.sandbox.restrict_sso(account.token, ())
        self.sandbox.forgive()
        taken_over, self._taken_over = self._taken_over, None
        if taken_over is not None:
            now = self.view.look(), self.view.length_of_log()
            assert now == taken_over, "a run wrote something though another had taken over"

    def _take_over(self, account: Account) -> None:
        self.store.start_run(account.name, self.client.host, "walk")
        self._taken_over = self.view.look(), self.view.length_of_log()

    def dry_run(self, account: Account) -> list[Difference]:
        """Return what a dry run says that a run would do."""
        with (
            scratch_ledger(self.url, StopEvent()) as scratch,
            Store(scratch.url, clock=self.clock) as store,
            self._client(account) as client,
        ):
            run = DryRun(scratch)
            outcome = sync(
                client,
                store,
                account=account.name,
                visibility=account.visibility,
                removals=self.removals,
                configured=self.names,
                progress=run,
            )
            return list(run.difference(outcome))

    def _sync(self, account: Account, **how: Unpack[How]) -> RunOutcome:
        with self._client(account) as client:
            self.client = client
            return sync(
                client,
                self.store,
                account=account.name,
                trigger="walk",
                visibility=account.visibility,
                full=how.get("full", False),
                removals=self.removals,
                accept_removals=how.get("accept", False),
                configured=self._configured(account, **how),
                progress=AfterPage(self._crash_if_wanted),
            )

    def _client(self, account: Account) -> GitHubClient:
        return GitHubClient(
            token=account.token,
            api_url=self.sandbox.url,
            concurrency=self.concurrency,
            retry=_ONCE,
            clock=lambda: self.clock.now,
        )

    def _crash_if_wanted(self) -> None:
        if self._crashes:
            raise CrashedError("a crash that the walk wanted")

    # What may happen meanwhile

    def changes(self) -> tuple[list[Event], list[str]]:
        """Return changes in the midst of a run, and a list that will tell what they were."""
        done: list[str] = []
        erodes = self.rng.random() < 0.3  # page after page moves on while it is read
        draw = delete_an_old_one if erodes else change

        def act() -> None:
            done.append(draw(self.world))

        count = self.rng.randint(1, 4)
        times = range(2, 9) if erodes else [self.rng.randint(1, 7) for _ in range(count)]
        return [Event(later, act, certain=True) for later in times], done

    def trouble(self, account: Account) -> tuple[Event, str]:
        """Return something that goes wrong, and what it is."""
        later, left = self.rng.randint(0, 9), self.rng.randint(0, 3)
        cut = {"Content-Length": "5000"}
        troubles: dict[str, Callable[[], object]] = {
            "stop": lambda: self.client.stop.set(),
            "death": lambda: setattr(self.clock, "left", left),
            "crash": lambda: setattr(self, "_crashes", True),
            "takeover": lambda: self._take_over(account),
            "sign-on": lambda: self.sandbox.restrict_sso(account.token, ("guild",)),
            "cut": lambda: self.sandbox.fail(status=200, body=b"[{", headers=cut),
            "nonsense": lambda: self.sandbox.fail(status=200, body=b"{}"),
        }
        name = self.rng.choice((*troubles, "refusal"))
        if name == "refusal":
            return self.refusal("*", later), f"{name} of request {later}"
        return Event(later, troubles[name]), f"{name} at request {later}"

    def refusal(self, path: str, later: int) -> Event:
        """Return that a request is refused, in a way that says nothing of what it asks for."""
        status = self.rng.choice(_REFUSALS)
        return Event(later, lambda: self.sandbox.fail(status=status, path=path), path)

    def _count(self, outcome: RunOutcome | None) -> None:
        self.counts["runs"] += 1
        self.counts[outcome.status if outcome else "crashed"] += 1
        if outcome is not None:
            self.counts.update({name: getattr(outcome.counts, name) for name in INTERESTING})
