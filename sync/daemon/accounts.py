"""What the daemon knows of each account: its configuration, its rhythm, how its runs went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.config import Account, Config
from sync.config.tokens import require_secret
from sync.errors import ConfigError
from sync.schedule import DATABASE_ERRORS, History, Rhythm


@dataclass(slots=True)
class AccountState:
    """One account; changed only by the thread that runs it and by a reload."""

    account: Account
    rhythm: Rhythm
    history: History

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def is_well(self) -> bool:
        """Whether it has been synced, and no run has failed since."""
        return self.history.last_synced_at is not None and self.history.failures == 0

    def problem(self, now: datetime) -> str | None:
        """Return why the account is not as current as promised; None if it is."""
        history = self.history
        if history.error_type in DATABASE_ERRORS:  # the next run will fail as well
            return f"could not be stored: {history.error_message}"
        if history.last_synced_at is None:
            problem = "never synced"
        elif now > self.rhythm.stale_at(history.last_synced_at):
            problem = f"last synced at {history.last_synced_at:%Y-%m-%d %H:%M:%S} UTC"
        else:
            return None
        return f"{problem}: {history.error_message}" if history.error_message else problem


def rhythm_of(account: Account, config: Config) -> Rhythm:
    """Return the account's rhythm; a run that waits for quota as allowed breaks no promise."""
    return Rhythm.of(account, config.schedule, slack=config.github.max_wait)


def require_a_credential(config: Config, environ: Mapping[str, str]) -> None:
    """Raise ConfigError if no account at all can be synced: that is a mistake, not a bad day."""
    problems: list[str] = []
    for account in config.accounts:
        try:
            require_secret(account, environ, config.github.api_url)
        except ConfigError as error:
            problems += error.problems
        else:
            return
    raise ConfigError(*problems)
