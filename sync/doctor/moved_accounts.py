"""Finds accounts that a run refuses: the ledger knows them at another host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync.core.errors import ConfigError, DatabaseError

if TYPE_CHECKING:
    from sync.config import Config
    from sync.database.queries import Ledger


def refused(config: Config, ledger: Ledger) -> dict[str, str]:
    """Return why runs of accounts would be refused, by account."""
    found = {
        account.name: ledger.host_problem(account.name, config.forge_of(account).host)
        for account in config.accounts
    }
    return {name: problem for name, problem in found.items() if problem is not None}


def refused_by_ledger(config: Config) -> dict[str, str]:
    """Return the same by the configured ledger; nothing if there is none that can be read."""
    from sync.database.queries import Ledger

    try:
        with Ledger(config.database.url) as ledger:
            return refused(config, ledger)
    except (ConfigError, DatabaseError):  # ConfigError: a driver is not installed
        return {}
