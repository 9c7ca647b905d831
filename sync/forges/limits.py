"""The present rate limits of a forge's user: quota, requested pause, pace, requests in flight.

They belong to the user, not to the token: accounts that sign in as the same user share one
`Limits`, by `SharedLimits`. Without a token, the limits belong to this machine's address.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from operator import attrgetter

from structlog import get_logger

from sync.core.clock import Clock
from sync.core.deadline import Deadline
from sync.core.errors import RateLimited
from sync.core.waiting import TICK
from sync.forges.pace import Pace

log = get_logger("sync.github")

# Pause after a secondary limit without a time: GitHub asks for a minute at least, then longer.
_PACE_PAUSE = timedelta(seconds=60)
_LONGEST_PACE_PAUSE = timedelta(minutes=15)
# Good answers in a row after which one more request may be in flight.
_RECOVERY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """The quota in the last answer: requests an hour, remaining requests, time of the reset.

    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    limit: int
    remaining: int
    reset: datetime


def lower_of(before: RateLimit | None, now: RateLimit) -> RateLimit:
    """Return the newer quota, or the lower of the same hour: answers arrive out of order."""
    if before is not None and abs(before.reset - now.reset) <= timedelta(seconds=5):
        return now if now.remaining <= before.remaining else before
    return now


class Limits:
    """The rate limits of one user. Safe to use from several threads and clients.

    `quota` is that of the last answer. `at_once` is the largest number of requests in
    flight: None for no limit but the client's, until GitHub reports a secondary limit;
    then half of them, and one more after each 20 good answers. `pace` is what requests
    for resources keep to; None until a client has given it.
    https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """

    def __init__(self) -> None:
        self.quota: RateLimit | None = None
        self.at_once: int | None = None
        self.pace: Pace | None = None
        self._pause: Deadline | None = None
        self._renewal: Deadline | None = None  # of the quota
        self._changed = threading.Condition()
        self._under_way = 0
        self._good = 0
        self._untold = 0
        self._slowed_at = -float("inf")

    @contextmanager
    def turn(
        self,
        *,
        reserve: float,
        clock: Clock,
        require_running: Callable[[], None],
        paced: bool = False,
        on_pace: Callable[[float], None] | None = None,
    ) -> Iterator[None]:
        """Hold a slot for a request in flight; wait until one is free.

        `reserve` is the share of the quota that is not used. A `paced` request also waits until
        the pace allows it; each part of that wait, in seconds, is told to `on_pace` as it begins.
        Raises RateLimited if the request would exceed the known quota, and the errors of
        `require_running`.
        """
        with self._changed:
            while True:
                if self._others_first(reserve, clock()):
                    tick = TICK
                elif paced and (left := self._too_fast_for()):
                    tick = min(left, TICK)
                    if on_pace is not None:
                        on_pace(tick)
                else:
                    break
                self._changed.wait(tick)
                require_running()
            self._under_way += 1
            pace = self.pace
            if pace is not None:
                pace.begin()
        answered = False
        try:
            yield
            answered = True
        finally:
            with self._changed:
                self._under_way -= 1
                if pace is not None:
                    pace.end()
                if self.pace is not None and not answered:
                    self.pace.note_failure(time.monotonic())
                self._changed.notify_all()

    def _too_fast_for(self) -> float:
        """Return the seconds that the pace asks to wait; a server without a quota has no pace."""
        if self.pace is None or self.quota is None:
            return 0.0
        return self.pace.wait(time.monotonic())

    def _others_first(self, reserve: float, now: datetime) -> bool:
        """Tell whether to wait for a request in flight. Raises RateLimited."""
        if pause := _left(self._pause, now):
            raise RateLimited("held back: GitHub asked to wait", retry_at=now + pause, sent=False)
        if self.at_once is not None and self._under_way >= self.at_once:
            return True
        quota = self.quota
        renewal = _left(self._renewal, now)
        if reserve == 0 or quota is None or not renewal:
            return False
        kept = quota.limit * reserve
        if quota.remaining <= kept:
            raise RateLimited(
                f"held back: {quota.remaining} of {quota.limit} requests are left this hour, "
                f"and {reserve:.0%} are reserved",
                retry_at=now + renewal,
                sent=False,
            )
        # Requests in flight may spend the remaining quota (a 304 costs none): wait for them.
        return 0 < self._under_way >= quota.remaining - kept

    def note_quota(self, quota: RateLimit, now: datetime) -> None:
        """Note the quota of an answer that arrived at `now`."""
        with self._changed:
            self._take(quota, Deadline(quota.reset, now))

    def keep_pace(self, pace: Pace) -> None:
        """Have paced requests keep to `pace`, unless there is one already."""
        with self._changed:
            if self.pace is None:
                self.pace = pace

    def note_answer(self, elapsed: float) -> None:
        """Note an answer, of any status, that took `elapsed` seconds and has just arrived."""
        with self._changed:
            if self.pace is not None:
                self.pace.note_answer(time.monotonic(), elapsed)

    def note_good(self, concurrency: int) -> None:
        """Note a good answer to a client that wants `concurrency` requests in flight."""
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
        """Note a rate limit, reported by an answer that took `elapsed` seconds.

        Requests that were in flight together meet the same limit, which slows them down once.
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
            if until - now > _left(self._pause, now):
                self._pause = Deadline(until, now)
            if not error.secondary or together:
                return
            self._good, self._slowed_at = 0, met_at
            before = min(self.at_once or concurrency, concurrency)
            self.at_once = max(before // 2, 1)
            if self.at_once < before:
                log.warning("rate_limit.slowed", at_once=self.at_once)

    def merge(self, other: Limits) -> None:
        """Merge the limits of `other`, which belongs to the same user."""
        if other is self:
            return
        with other._changed:
            theirs = other.pace and other.pace.settled(time.monotonic())
        with self._changed:
            if self.pace is None:
                self.pace = theirs
            elif theirs is not None:
                self.pace.merge(theirs)
            if other.quota is not None:
                self._take(other.quota, other._renewal)
            pauses = [pause for pause in (self._pause, other._pause) if pause is not None]
            self._pause = max(pauses, key=attrgetter("end"), default=None)
            numbers = [n for n in (self.at_once, other.at_once) if n is not None]
            self.at_once = min(numbers, default=None)

    def _take(self, quota: RateLimit, renewal: Deadline | None) -> None:
        if lower_of(self.quota, quota) is quota:
            self.quota, self._renewal = quota, renewal


def _left(deadline: Deadline | None, now: datetime) -> timedelta:
    return deadline.left(now) if deadline is not None else timedelta()


class SharedLimits:
    """The rate limits of all users that the accounts of this process sign in as."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_account: dict[str, tuple[bytes, Limits]] = {}
        self._of_user: dict[tuple[str, int], Limits] = {}
        self._of_address: dict[str, Limits] = {}

    def of(self, account: str, host: str, token: str | None) -> Limits:
        """Return the limits of an account's user; new ones if the user is not known yet."""
        with self._lock:
            if token is None:
                return self._of_address.setdefault(host, Limits())
            credential = blake2b(f"{host} {token}".encode(), digest_size=16).digest()
            known = self._of_account.get(account)
            if known is None or known[0] != credential:
                known = self._of_account[account] = credential, Limits()
            return known[1]

    def join(self, account: str, host: str, user_id: int, mine: Limits) -> tuple[Limits, list[str]]:
        """Return the limits of the user that an account signs in as, now that it is known.

        Also returns the other accounts of that user, if the account has just joined them.
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
