"""Describes private repositories that wait to be redacted or purged, without their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.config import Config
    from sync.database.queries import Ledger


def what_waits(config: Config, ledger: Ledger) -> str | None:
    """Return how many repositories wait, and for which accounts; None if none waits."""
    if config.removals.on_private == "keep" or len(config.accounts) < 2:
        return None
    waiting = [
        awaited
        for host in {config.forge_of(account).host for account in config.accounts}
        for awaited in ledger.redactions_awaiting(host, config.accounts_at(host)).values()
        if awaited
    ]
    if not waiting:
        return None
    number, them = f"{len(waiting)} repositories", "them"
    if len(waiting) == 1:
        number, them = "1 repository", "it"
    done = {"redact": "redacted", "purge": "purged"}[config.removals.on_private]
    awaited_for = set().union(*waiting)
    lacking = ", ".join(each.name for each in config.accounts if each.name in awaited_for)
    return (
        f"{number} became private and will be {done} once no other account can list {them}: "
        f"waiting for a complete list of {lacking}"
    )
