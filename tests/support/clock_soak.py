"""A soak of the daemon: its clock jumps, its server answers in part, its GitHub changes.

After each pause, in which the clock is right and the server whole, the ledger must be what the
server says, and what it says of now must be what is stored now.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Self

from sync.config.sections import Removals
from sync.sandbox import Sandbox
from tests.support.chaos import Chaos
from tests.support.daemon import RunningDaemon
from tests.support.database import snapshot, values
from tests.support.jumping_daemon import JUMPED
from tests.support.process import LISTING_ALONE, repoledger
from tests.support.walk_changes import change
from tests.support.walk_checks import Checks
from tests.support.walk_view import View
from tests.support.walk_world import World

MINUTE, DAY, YEAR = 60.0, 86_400.0, 365 * 86_400.0
# How far a clock is wrong, in either direction: from the first to the second, in seconds.
ERRORS = ((MINUTE, 60 * MINUTE), (60 * MINUTE, DAY), (DAY, 30 * DAY), (YEAR, 20 * YEAR))
# What has the daemon wait for an hour of the monotonic clock, for which no pause is long enough.
LONG_WAITS = frozenset({"limited"})
PATIENCE = 60.0  # seconds for what happens in a pause
PROGRAM = (sys.executable, "-W", "error", "-m", "tests.support.jumping_daemon")


class ClockSoak:
    """A world, its server, and the daemon that syncs it into the ledger at `url`.

    `counts` says how the runs ended, and how often the clock jumped.
    """

    def __init__(self, url: str, folder: Path, seed: int) -> None:
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self._url, self._folder = url, folder
        self._rng = Random(seed)
        self._sandbox = Sandbox()
        self.world = World(self._sandbox, self._rng)
        self.chaos = Chaos(self._sandbox, seed, without=LONG_WAITS)
        self._view = View(url)
        self._checks = Checks(self.world, self._view, Removals())
        self._clock = folder / "clock"
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._held.callback(self._view.close)
        self._held.enter_context(self._sandbox)
        self._held.enter_context(self.chaos)
        self._write_configuration()
        tokens = {f"TOKEN_{one.name}": one.token for one in self.world.accounts}
        daemon = RunningDaemon(self._folder, program=PROGRAM, CLOCK=str(self._clock), **tokens)
        self._daemon = self._held.enter_context(daemon)
        return self

    def __exit__(self, *error: Any) -> None:
        self._held.__exit__(*error)

    def _write_configuration(self) -> None:
        accounts = "".join(
            f'[[accounts]]\nname = "{one.name}"\ntoken_env = "TOKEN_{one.name}"\n'
            for one in self.world.accounts
        )
        (self._folder / "config.toml").write_text(
            f'[database]\nurl = "{self._url}"\n[github]\napi_url = "{self.chaos.url}"\n'
            'max_wait = "2s"\ntimeout = "2s"\n[http]\nlisten = "127.0.0.1:0"\n'
            f'[schedule]\nevery = "1s"\n{LISTING_ALONE}{accounts}',
            encoding="utf-8",
        )

    def go(self, pauses: int) -> None:
        """Make trouble and pause, so many times."""
        for _ in range(pauses):
            try:
                self._trouble()
                self._pause()
            except Exception as error:
                story = "\n".join(self.chaos.story[-40:])
                told = f"{error}\nThe seed is {self.seed}; {self.figures}; the server:\n{story}"
                raise AssertionError(told) from error

    @property
    def figures(self) -> str:
        """Return what the soak has seen, for people."""
        return ", ".join(f"{name} {number:,}" for name, number in sorted(self.counts.items()))

    # Trouble

    def _trouble(self) -> None:
        """Change the world and the clock while the server misbehaves."""
        self.chaos.new_run()
        self.chaos.share = self._rng.choice((0.1, 0.3, 0.5))
        for _ in range(self._rng.randint(2, 4)):
            for _ in range(self._rng.randint(0, 4)):
                change(self.world)
            low, high = self._rng.choice(ERRORS)
            self._set_clock(self._rng.choice((-1, 1)) * self._rng.uniform(low, high))
            self._try_again()
            self._wait_for_runs(1)

    def _set_clock(self, seconds: float) -> None:
        self._clock.write_text(str(seconds))
        self._daemon.send(signal.SIGUSR1)
        self.counts["jumps"] += 1
        self._daemon.wait_for(JUMPED, times=self.counts["jumps"])

    def _try_again(self) -> None:
        """Have what failed be tried at once, and not when its pause is over."""
        self._daemon.reload()

    def _wait_for_runs(self, number: int, **fields: Any) -> None:
        """Wait until each account has had so many more runs."""
        for one in self.world.accounts:
            wanted = {"account": one.name, **fields}
            before = len(self._daemon.logged("sync.run_finished", **wanted))
            self._daemon.wait_for(
                "sync.run_finished", times=before + number, patience=PATIENCE, **wanted
            )

    # Pauses

    def _pause(self) -> None:
        """Put the clock right, let the server behave, and look at what the ledger has become."""
        had = self._view.look().live
        self.chaos.share = 0.0
        self._set_clock(0.0)
        self._try_again()
        self._wait_for_runs(2, status="succeeded")
        self.counts["pauses"] += 1
        self._checks.settled(had)
        self._now_is_now()
        self._runs_took_their_time()
        self._nothing_leaked()
        assert self._daemon.get("/livez")[0] == 200
        assert self._daemon.get("/readyz")[0] == 200
        for status, number in values(
            self._url, "SELECT status, count(*) FROM sync_runs GROUP BY status"
        ):
            self.counts[status] = number

    def _now_is_now(self) -> None:
        """A list as of now is the list; no day of the history is later than today."""
        now = self._ask("repos")
        assert self._ask("repos", "--as-of", datetime.now(UTC).isoformat()) == now
        assert {row["full_name"] for row in now} == {
            row["full_name"] for row in self._view.rows().values() if row["removed_at"] is None
        }

    def _ask(self, *words: str) -> list[dict[str, Any]]:
        tokens = {f"TOKEN_{one.name}": one.token for one in self.world.accounts}
        done = repoledger(*words, "--json", cwd=self._folder, **tokens)
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return sorted(told, key=lambda row: row["full_name"])

    def _runs_took_their_time(self) -> None:
        """No run took less than nothing, nor waited for longer than it took."""
        for run in self._daemon.logged("sync.run_finished"):
            assert 0 <= run["wait_seconds"] <= run["seconds"] < PATIENCE, run

    def _nothing_leaked(self) -> None:
        assert self._sandbox.errors == []
        assert self.chaos.foreign.connections == 0, "something was sent to another origin"
        told = json.dumps([snapshot(self._url), self._daemon.events], default=str)
        assert "Traceback" not in told, told[told.index("Traceback") :][:3000]
        for one in self.world.accounts:
            assert one.token not in told, "a token was told"
