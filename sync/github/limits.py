"""What GitHub allows one user at present: quota, a pause that it asked for, requests at a time.

All three are of a user, not of a token: accounts that sign in as one user
share one `Limits`, which `SharedLimits` finds for them. Without a token they
are of this machine's address, whoever is asked about.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import blake2b

from sync.clock import Clock
from sync.errors import RateLimited
from sync.github.protocol import RateLimit, lower_of
from sync.loggers import get_logger

log = get_logger("sync.github")

# A limit on the pace that names no time: GitHub asks for at least a minute, then for longer.
_PACE_PAUSE = timedelta(seconds=60)
_LONGEST_PACE_PAUSE = timedelta(minutes=15)
# After so many good answers in a row, one request more may be under way at a time.
_RECOVERY = 20
_TICK = 0.2  # seconds between two looks at whether the client was stopped meanwhile


class Limits:
    """The limits of one user. Safe to use from several threads and clients.

    `quota` is what the answers told last. `at_once` is how many requests may be
    under way at a time: None, as many as a client likes, until GitHub finds
    that too fast; then half of them, and one more after each 20 good answers.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    def __init__(self) -> None:
        self.quota: RateLimit | None = None
        self.at_once: int | None = None
        self._blocked_until: datetime | None = None
        self._changed = threading.Condition()
        self._under_way = 0
        self._good = 0
        self._untold = 0
        self._slowed_at = -float("inf")

    @contextmanager
    def turn(
        self, *, reserve: float, clock: Clock, require_running: Callable[[], None]
    ) -> Iterator[None]:
        """Hold a place among the requests under way; wait until there is one.

        `reserve` is the share of the quota that is left alone. Raises RateLimited
        if the request would exceed what is known to be left, and whatever
        `require_running` raises.
        """
        with self._changed:
            while self._others_first(reserve, clock()):
                self._changed.wait(_TICK)
                require_running()
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _others_first(self, reserve: float, now: datetime) -> bool:
        """Tell whether a request under way must come back first. Raises RateLimited."""
        if self._blocked_until is not None and now < self._blocked_until:
            raise RateLimited(
                "held back: GitHub asked to wait", retry_at=self._blocked_until, sent=False
            )
        if self.at_once is not None and self._under_way >= self.at_once:
            return True
        quota = self.quota
        if reserve == 0 or quota is None or now >= quota.reset:
            return False
        kept = quota.limit * reserve
        if quota.remaining <= kept:
            raise RateLimited(
                f"held back: {quota.remaining} of {quota.limit} requests are left this hour, "
                f"and {reserve:.0%} are reserved",
                retry_at=quota.reset,
                sent=False,
            )
        # Those under way may use up the rest, or, where nothing has changed, cost nothing.
        return 0 < self._under_way >= quota.remaining - kept

    def note_quota(self, quota: RateLimit) -> None:
        """Take in what an answer told."""
        with self._changed:
            self.quota = lower_of(self.quota, quota)

    def note_good(self, concurrency: int) -> None:
        """Take in a good answer to a client that would like to have `concurrency` under way."""
        with self._changed:
            self._untold = 0
            if self.at_once is None:
                return
            self._good += 1
            if self._good < _RECOVERY:
                return
            self._good = 0
            self.at_once += 1
            log.info("rate_limit.recovered", at_once=self.at_once)
            if self.at_once >= concurrency:
                self.at_once = None
            self._changed.notify_all()

    def note_limit(
        self, error: RateLimited, *, now: datetime, elapsed: float, concurrency: int
    ) -> None:
        """Take in a limit that was met, told by an answer that took `elapsed` seconds.

        Requests that were under way together meet one limit together: it slows
        them down once.
        """
        met_at = time.monotonic()
        with self._changed:
            together = met_at - elapsed < self._slowed_at
            if error.retry_at is not None:
                until = error.retry_at
            else:
                self._untold += not together
                pause = _PACE_PAUSE * 2.0 ** min(max(self._untold - 1, 0), 10)
                until = now + min(pause, _LONGEST_PACE_PAUSE)
            self._blocked_until = max(self._blocked_until or until, until)
            if not error.secondary or together:
                return
            self._good, self._slowed_at = 0, met_at
            before = min(self.at_once or concurrency, concurrency)
            self.at_once = max(before // 2, 1)
            if self.at_once < before:
                log.warning("rate_limit.slowed", at_once=self.at_once)

    def merge(self, other: Limits) -> None:
        """Take in what `other` knows, which turned out to be of the same user."""
        if other is self:
            return
        with self._changed:
            if other.quota is not None:
                self.quota = lower_of(self.quota, other.quota)
            pauses = [m for m in (self._blocked_until, other._blocked_until) if m is not None]
            self._blocked_until = max(pauses, default=None)
            numbers = [n for n in (self.at_once, other.at_once) if n is not None]
            self.at_once = min(numbers, default=None)


class SharedLimits:
    """The limits of the users that the accounts of this process sign in as."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_account: dict[str, tuple[bytes, Limits]] = {}
        self._of_user: dict[tuple[str, int], Limits] = {}
        self._of_address: dict[str, Limits] = {}

    def of(self, account: str, host: str, token: str | None) -> Limits:
        """Return the limits that hold for an account, as far as it is known whose they are."""
        with self._lock:
            if token is None:
                return self._of_address.setdefault(host, Limits())
            credential = blake2b(f"{host} {token}".encode(), digest_size=16).digest()
            known = self._of_account.get(account)
            if known is None or known[0] != credential:
                known = self._of_account[account] = credential, Limits()
            return known[1]

    def join(self, account: str, host: str, user_id: int, mine: Limits) -> tuple[Limits, list[str]]:
        """Return the limits of the user whom an account turned out to sign in as.

        And the other accounts that share them, if that is news.
        """
        with self._lock:
            users = self._of_user.setdefault((host, user_id), mine)
            if users is mine:
                return mine, []
            users.merge(mine)
            others = [name for name, (_, theirs) in self._of_account.items() if theirs is users]
            if account in self._of_account:
                self._of_account[account] = self._of_account[account][0], users
            return users, [name for name in others if name != account]
