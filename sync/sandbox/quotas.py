"""The quotas of holders of tokens, in requests per hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.sandbox.host import Host
from sync.sandbox.users import Holder, Token, Users

_HOUR = timedelta(hours=1)
_LIMIT_WITH_TOKEN, _LIMIT_BY_ADDRESS = 5000, 60


@dataclass(kw_only=True)
class Quota:
    """The requests in the current hour, and the time of its end."""

    limit: int
    reset: datetime
    used: int = 0

    @property
    def remaining(self) -> int:
        """The requests left; never below zero."""
        return max(self.limit - self.used, 0)

    def headers(self) -> dict[str, str]:
        """The headers of an answer that describe the quota."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(int(self.reset.timestamp())),
            "X-RateLimit-Resource": "core",
        }


class Quotas:
    """One quota for each holder of tokens, and one for all requests without a token."""

    def __init__(self, host: Host, users: Users) -> None:
        self._host = host
        self._users = users
        self._of: dict[Holder | None, Quota] = {}

    def set(
        self,
        token: str | None,
        *,
        limit: int = _LIMIT_WITH_TOKEN,
        remaining: int | None = None,
        reset: datetime | None = None,
    ) -> None:
        """Sets the quota of the token's holder; without a token, that of all addresses.

        `reset` is when the whole limit is available again; by default in an hour.
        """
        holder = self._users.tokens[token].holder if token is not None else None
        used = 0 if remaining is None else limit - remaining
        reset = reset or self._host.now() + _HOUR
        self._of[holder] = Quota(limit=limit, reset=reset, used=used)

    def get(self, token: Token | None) -> Quota:
        """The quota of a token's holder, or of all addresses, in the current hour."""
        holder = token.holder if token else None
        fresh = _LIMIT_WITH_TOKEN if token else _LIMIT_BY_ADDRESS
        now = self._host.now()
        quota = self._of.setdefault(holder, Quota(limit=fresh, reset=now + _HOUR))
        if quota.reset <= now:
            quota.reset, quota.used = now + _HOUR, 0
        return quota
