"""A soak: one process syncs a world that changes, by way of a server that misbehaves.

After each round of runs it is looked whether all is true that is always to be true. Now and then
the server behaves: then one more run of each account must make the ledger what the server says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from pathlib import Path
from random import Random
from typing import Any, Self

from sqlalchemy import make_url

from sync.config.sections import Removals
from sync.database.writes import RunCounts
from sync.run.outcome import RunOutcome
from sync.sandbox import Sandbox
from tests.support.chaos import Chaos
from tests.support.database import snapshot, values
from tests.support.process import STARTED, environment
from tests.support.usage import Usage, medians, usage
from tests.support.walk_changes import change
from tests.support.walk_checks import Checks, Finished, Watch, difference, nothing_alive_is_lost
from tests.support.walk_view import View
from tests.support.walk_world import Account, World

SHARES = (0.02, 0.1, 0.3, 0.6)  # of the answers of a round that go wrong
_SHOWS = (200, 304)
ROUNDS_OF_PEACE = 4  # until nothing is withheld that has to be accepted


class Soak:
    """A world, its server, and the process that syncs it into the ledger at `url`.

    `counts` says how the runs ended, `usages` what the process used after each round.
    """

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.usages: list[Usage] = []
        self.slowest = 0.0
        self._url, self._folder = url, folder
        self._rng = Random(seed)
        self._sandbox = Sandbox()
        self.world = World(self._sandbox, self._rng)
        self.chaos = Chaos(self._sandbox, seed)
        self._view = View(url)
        self._checks = Checks(self.world, self._view, Removals())
        self._read = 0
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._held.callback(self._view.close)
        self._held.enter_context(self._sandbox)
        self._held.enter_context(self.chaos)
        self._log = self._folder / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.support.soaked"],
                cwd=self._folder,
                env=environment(self._folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        STARTED.append(self._process)
        self._held.callback(self._end)
        tokens = {account.name: account.token for account in self.world.accounts}
        self._say({"database": self._url, "api_url": self.chaos.url, "tokens": tokens})
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    def _end(self) -> None:
        self._process.communicate(timeout=30)

    def go(self, runs: int, *, peace_every: int = 25) -> None:
        """Sync so many times, with peace now and then, and at the end."""
        peace = peace_every
        while self.counts["runs"] < runs:
            with self._told():
                self._round()
                if self.counts["runs"] >= min(peace, runs):
                    self._peace()
                    peace = self.counts["runs"] + peace_every

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Have what fails be told with the seed, and with what went wrong at the server."""
        try:
            yield
        except Exception as error:
            story = "\n".join(self.chaos.story)
            told = f"{error}\nThe seed is {self.seed}; the last of {self.counts['runs']} runs met\n"
            raise AssertionError(told + story) from error

    # Rounds

    def _round(self) -> None:
        """Change the world, then sync one account, or both at the same time, in trouble."""
        for _ in range(self._rng.randint(0, 6)):
            change(self.world)
        self.chaos.share = self._rng.choice(SHARES)
        many = self._rng.random() < 0.5
        accounts = self.world.accounts if many else (self._rng.choice(self.world.accounts),)
        runs = self._sync(*accounts, timeout=1.0)
        if many:
            for run in runs:
                nothing_alive_is_lost(run)
                assert run.outcome is not None
                assert run.outcome.counts.removed == len(run.lost), run.outcome
            _told_together(runs)
        else:
            self._checks.after_run(runs[0])

    def _peace(self) -> None:
        """Sync both accounts while the server behaves; then all must be as it says."""
        self.chaos.share = 0.0
        had = self._view.look().live
        for attempt in range(ROUNDS_OF_PEACE):
            ended = [self._calm_run(one, accept=attempt > 0) for one in self.world.accounts]
            if all(outcome.status == "succeeded" for outcome in ended):
                break
        else:
            raise AssertionError(f"seed {self.seed}: nothing settles it: {ended}")
        self.counts["peaces"] += 1
        self.counts["accepted"] += attempt > 0
        self._checks.settled(had)
        assert _secrets_in(json.dumps(snapshot(self._url), default=str), self._tokens) == []

    def _calm_run(self, account: Account, *, accept: bool) -> RunOutcome:
        self._sandbox.clear_requests()
        (run,) = self._sync(account, timeout=60.0, accept=accept)
        self._checks.after_run(run)
        outcome = run.outcome
        assert outcome is not None
        answered = self._sandbox.requests
        found = [r for r in answered if r.path.startswith("/repositories/") and r.status in _SHOWS]
        seen = len(self.world.listed(account)) + len(found)
        assert outcome.counts.items <= seen, (outcome, seen)
        assert outcome.counts.items >= len(self.world.listed(account)), (outcome, seen)
        assert outcome.counts.requests == len(answered), (outcome, len(answered))
        return outcome

    # Runs

    def _sync(self, *accounts: Account, timeout: float, accept: bool = False) -> list[Finished]:
        self.world.touched.clear()
        self.chaos.new_run()
        safe, before = Watch(self.world).safe, self._view.look()
        began = time.monotonic()
        names = [account.name for account in accounts]
        self._say({"accounts": names, "timeout": timeout, "accept": accept})
        outcomes = [_outcome(told) for told in self._hear()]
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.usages.append(usage(self._process.pid))
        self._look(outcomes)
        after = self._view.look()
        return [
            Finished(
                account=account,
                before=before,
                after=after,
                safe=safe,
                outcome=outcome,
                quiet=self.chaos.share == 0,
                accepted=accept,
                configured=tuple(one.name for one in self.world.accounts),
            )
            for account, outcome in zip(accounts, outcomes, strict=True)
        ]

    def _look(self, outcomes: list[RunOutcome]) -> None:
        """Look whether the runs are recorded as told, and whether anything leaked."""
        for outcome in outcomes:
            self.counts.update(["runs", outcome.status])
            names = [field.name for field in fields(RunCounts)]
            columns = ", ".join(("status", *names))
            query = f"SELECT {columns} FROM sync_runs WHERE id = {outcome.run_id}"
            ((status, *counts),) = values(self._url, query)
            told = outcome.counts.as_dict()
            assert status == outcome.status, (status, outcome)
            assert dict(zip(names, counts, strict=True)) == told, (counts, outcome)
        assert values(self._url, "SELECT id FROM sync_runs WHERE status = 'running'") == []
        assert self._sandbox.errors == []
        assert self.chaos.foreign.connections == 0, "something was sent to another origin"
        text = self._new_log()
        assert _secrets_in(text, self._tokens) == []
        assert "Traceback" not in text, text[text.index("Traceback") :][:3000]
        for file in self._files():
            assert _secrets_in(file.read_bytes().decode("latin-1"), self._tokens) == [], file

    @property
    def _tokens(self) -> list[str]:
        return [account.token for account in self.world.accounts]

    def _new_log(self) -> str:
        """Return what has been logged since, and a little of what was before."""
        with self._log.open("rb") as log:
            log.seek(max(self._read - 200, 0))
            data = log.read()
            self._read = log.tell()
        return data.decode(errors="replace")  # it may begin within a character

    def _files(self) -> list[Path]:
        """Return the files of the ledger, if it is one of files."""
        url = make_url(self._url)
        if url.get_backend_name() != "sqlite":
            return []
        file = Path(str(url.database))
        return [found for found in file.parent.glob(f"{file.name}*") if found.is_file()]

    def _say(self, value: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> list[dict[str, Any]]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the process ended: {self._log.read_text()[-3000:]}"
        told: list[dict[str, Any]] = json.loads(line)
        return told

    # Figures

    def medians(self) -> tuple[Usage, Usage]:
        """Return what the process used early and late: medians of a tenth of the rounds each.

        Not of the first tenth, in which everything is met for the first time.
        """
        window = max(len(self.usages) // 10, 1)
        early, late = self.usages[window : 2 * window], self.usages[-window:]
        return medians(early), medians(late)

    @property
    def figures(self) -> str:
        """What the soak has seen, for people."""
        counted = [
            ", ".join(f"{name} {number:,}" for name, number in sorted(counter.items()))
            for counter in (self.counts, self.chaos.seen)
        ]
        early, late = self.medians()
        slowest = f"the slowest round took {self.slowest:.1f} s"
        return "\n".join([f"seed {self.seed}", *counted, f"{early} early, {late} late; {slowest}"])


def _told_together(runs: list[Finished]) -> None:
    """What runs at the same time say that they inserted is what is there besides."""
    before, after = runs[0].before, runs[0].after
    inserted = sum(run.outcome.counts.inserted for run in runs if run.outcome)
    assert inserted == len(after.stored.keys() - before.stored.keys())
    there = before.present - after.present
    listed = set().union(*after.live.values())
    assert there.isdisjoint(listed), difference("removed", there, ())


def _outcome(told: dict[str, Any]) -> RunOutcome:
    """Return an outcome as it was told; its error is a text."""
    counts = RunCounts(**{field.name: told[field.name] for field in fields(RunCounts)})
    return RunOutcome(
        run_id=told["run_id"],
        account=told["account"],
        status=told["status"],
        complete=told["complete"],
        counts=counts,
        seconds=told["seconds"],
    )


def _secrets_in(text: str, secrets: list[str]) -> list[str]:
    return [f"a token of {len(one)} characters" for one in secrets if one in text]
