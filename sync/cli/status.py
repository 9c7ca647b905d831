"""The command status: how fresh each account is, what it is doing, when it is next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from sync.cli import output
from sync.cli.output import Format, format_option, json_option
from sync.cli.settings import Settings

# A daemon starts what is due within seconds; what is later than this has nobody to start it.
_OVERDUE = timedelta(minutes=1)


@click.command
@format_option
@json_option
@click.pass_obj
def status(settings: Settings, fmt: Format, json: bool) -> None:
    """Show how fresh each account is, and how its last run went."""
    config = settings.load()
    from sync.database.queries import Ledger

    with Ledger(config.database.url) as ledger:
        rows = {row["account"]: row for row in ledger.status()}
    now = datetime.now(UTC)
    empty = dict.fromkeys(_STATUS_COLUMNS)
    named = [account.name for account in config.accounts]
    result = [
        _with_age({**empty, "account": name, "status": "never synced", **rows.get(name, {})}, now)
        for name in [*named, *(name for name in rows if name not in named)]
    ]
    output.print_rows(
        result,
        output.chosen(fmt, json),
        columns=_STATUS_COLUMNS,
        table_columns=("account", "status", "synced", "next", "repositories", "progress", "quota"),
    )
    if output.chosen(fmt, json) is Format.table:
        for row in result:
            _explain(row, now)
        signed_in = {account.name for account in config.accounts if account.signs_in}
        _explain_sharing([row for row in result if row["account"] in signed_in])


_STATUS_COLUMNS = (
    *("account", "login", "user_id", "host", "status", "synced", "next", "progress", "quota"),
    *("last_synced_at", "next_run_at", "not_before", "failures", "repositories"),
    *("run_id", "trigger", "started_at", "finished_at", "pages", "pages_expected", "requests"),
    *("not_modified", "inserted", "updated", "unchanged", "removed", "restored"),
    *("withheld", "rejected"),
    *("rate_limit_remaining", "error_type", "error_message"),
)


def _with_age(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Add what a person wants to read: how long ago, how far, how much is left."""
    synced = row["last_synced_at"]
    row["synced"] = f"{_age(now - synced)} ago" if synced else "never"
    row["next"] = _until(row["next_run_at"], now)
    row["quota"] = row["rate_limit_remaining"]
    row["progress"] = None
    if row["status"] == "running":
        row["progress"] = f"page {row['pages']} of {row['pages_expected'] or '?'}"
        row["next"] = None
    if _waits(row, now):
        row["progress"] = f"waits until {row['not_before']:%H:%M:%S} UTC"
    return row


def _until(moment: datetime | None, now: datetime) -> str | None:
    """Return when the daemon means to run next; overdue if nobody seems to be there to do it."""
    if moment is None:
        return None
    if moment > now:
        return f"in {_age(moment - now)}"
    return "now" if now - moment < _OVERDUE else f"overdue {_age(now - moment)}"


def _waits(row: Mapping[str, Any], now: datetime) -> bool:
    return row["not_before"] is not None and row["not_before"] > now


def _explain(row: Mapping[str, Any], now: datetime) -> None:
    """Say below the table what a person has to know beyond it."""
    if _waits(row, now):
        until = f"{row['not_before']:%Y-%m-%d %H:%M:%S}"
        output.say(f"{row['account']}: waiting for quota until {until} UTC")
    if row["error_message"]:
        times = f"failed {row['failures']} times in a row: " if (row["failures"] or 0) > 1 else ""
        output.say(f"{row['account']}: {times}{row['error_message']}")


def _explain_sharing(rows: Iterable[Mapping[str, Any]]) -> None:
    """Say which accounts are one user at GitHub, whose quota they share."""
    names: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        if row["user_id"] is not None:
            names.setdefault((row["host"], row["user_id"]), []).append(row["account"])
    for sharing in names.values():
        if len(sharing) > 1:
            print(f"{', '.join(sharing)}: one GitHub user, and so one quota")


def _age(span: timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
