"""What of a ledger waits for a person, in sentences. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sync.digest.words import counted, first_loss, repositories
from sync.resources import BY_NAME
from sync.resources.permission import lacking

if TYPE_CHECKING:
    from sync.config.resources import ResourceSetting
    from sync.database.resource_status import ResourceStatus

_STALE = timedelta(days=2)


def account_needs(rows: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[str]:
    """Yield what is wrong with accounts; `rows` are those of `Ledger.status`."""
    for row in rows:
        account, synced = row["account"], row["last_synced_at"]
        if row["error_message"] and row["failures"]:
            times = f"failed {counted(row['failures'], 'time')} in a row: "
            yield f"{account}: {times}{row['error_message']}"
        elif synced is not None and now - synced > _STALE:
            yield f"{account}: not synced since {synced:%Y-%m-%d %H:%M} UTC"
        if row["withheld"]:
            yield (
                f"{account}: {counted(row['withheld'], 'removal')} held back; "
                "`repoledger backfill --dry-run` names them, `--accept-removals` confirms them"
            )


def problem(status: ResourceStatus, setting: ResourceSetting) -> str | None:
    """Return why a resource that is on cannot be read; None if it can."""
    if not setting.on:
        return None
    needs = BY_NAME[status.resource].needs
    if status.refused:
        return f"refused for {repositories(status.refused)}: {lacking(status.reason, needs)}"
    if status.is_absent:
        return f"not on this server: it answers 404 for {repositories(status.statuses['missing'])}"
    return None


def resource_needs(
    pairs: Iterable[tuple[ResourceStatus, ResourceSetting]], now: datetime
) -> Iterator[str]:
    """Yield in a sentence each why something is refused, lost, or never read."""
    unpushed: dict[str, list[str]] = {}
    for status, setting in pairs:
        who = f"{status.account}: {status.resource}"
        why = problem(status, setting)
        if why is not None:
            yield f"{who}: {why}"
        if status.lost_days:
            since = f"{status.lost_since:%Y-%m-%d}" if status.lost_since else "?"
            yield f"{who}: {counted(status.lost_days, 'day')} lost since {since}"
        if status.waiting and status.lost_at is not None and setting.on:
            yield f"{who}: {first_loss(status.lost_at, now)}"
        needs_push = BY_NAME[status.resource].due.needs_push
        if setting.on and needs_push and not status.wanted and not status.statuses:
            unpushed.setdefault(status.account, []).append(status.resource)
    for account, names in unpushed.items():
        yield (
            f"{account}: {' and '.join(names)}: nothing to read: no repository yet that the "
            "account may push to"
        )
