"""The command status: each account's age, progress and next run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sync.cli import output
from sync.cli.formats import Format
from sync.cli.hosts import host_columns, host_option
from sync.cli.resources import in_short, statuses
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings
from sync.cli.tables import of_status
from sync.cli.times import OVERDUE, age_of, time_of, until
from sync.core.deadline import believed
from sync.core.origin import is_same_host
from sync.digest.words import counted
from sync.doctor.clearing import what_waits
from sync.doctor.moved_accounts import refused

if TYPE_CHECKING:
    from sync.config import Config


@click.command
@host_option
@result_options
@click.pass_obj
def status(settings: Settings, host: str | None, result: Result) -> None:
    """Show how fresh each account is, and how its last run went."""
    config = settings.load()
    from sync.database.names import host_among
    from sync.database.queries import Ledger

    with Ledger(config.database.url) as ledger:
        rows = {row["account"]: row for row in ledger.status()}
        waiting = what_waits(config, ledger)
        refusals = refused(config, ledger)
    of_resources = resources_in_short(config)
    now = datetime.now(UTC)
    empty = dict.fromkeys(_STATUS_COLUMNS) | {"status": "never synced"}
    places = {account.name: config.forge_of(account).host for account in config.accounts}
    found = [
        _with_age({**empty, "account": name, "host": places.get(name), **rows.get(name, {})}, now)
        | {"resources": of_resources.get(name)}
        for name in places | rows
    ]
    hosts = {row["host"] for row in found}
    if host is not None:
        wanted = host_among(hosts, host)
        found = [row for row in found if row["host"] == wanted]
    nested = result.format in (Format.json, Format.ndjson)
    with result.opened():
        if not result.is_table:
            columns = (*_STATUS_COLUMNS, "resources") if nested else _STATUS_COLUMNS
            output.print_rows(found, result.format, columns=columns)
            return
        _print_table(found, host_columns(hosts))
        for row in found:
            name = row["account"]
            _explain(row, now, host=places.get(name), refusal=refusals.get(name))
            if row["resources"]:
                print(f"{name}: resources: {_in_words(row['resources'], now)}")
        signed_in = {account.name for account in config.accounts if account.signs_in}
        _explain_sharing([row for row in found if row["account"] in signed_in])
        if waiting is not None:
            output.say(waiting)


def _print_table(rows: Sequence[Mapping[str, Any]], hosts: Sequence[str]) -> None:
    """Print a table without the columns that say nothing now, such as the progress of no run."""
    shown = [name for name in _SHOWN if any(row[name] is not None for row in rows)]
    columns = ("account", *hosts, *shown)
    cells = (
        [of_status(row["status"]) if name == "status" else row[name] for name in columns]
        for row in rows
    )
    output.print_table(columns, cells)


def resources_in_short(config: Config) -> dict[str, dict[str, Any]]:
    """Return numbers over the resources of each account that has any on."""
    settings = {each.name: config.resources_of(each) for each in config.accounts}
    on = [name for name, theirs in settings.items() if any(each.on for each in theirs.values())]
    if not on:
        return {}
    found = statuses(config, on)
    return {
        name: in_short([(s, settings[name][s.resource]) for s in found if s.account == name])
        for name in on
    }


def _in_words(told: Mapping[str, Any], now: datetime) -> str:
    """Return the numbers of an account's resources as a line."""
    words = [f"{told[name]:,} {name}" for name in ("read", "refused", "waiting")]
    if told["lost_days"]:
        words.append(f"{counted(told['lost_days'], 'day')} lost")
    if told["oldest_at"] is not None:
        words.append(f"oldest {age_of(now - told['oldest_at'])}")
    return ", ".join(words)


_SHOWN = ("status", "synced", "next", "repositories", "progress", "quota")
_STATUS_COLUMNS = (
    *("account", "login", "user_id", "host", "status", "synced", "next", "progress", "quota"),
    *("last_synced_at", "next_run_at", "not_before", "failures", "repositories", "elsewhere"),
    *("run_id", "trigger", "started_at", "finished_at", "pages", "pages_expected", "requests"),
    *("not_modified", "inserted", "updated", "unchanged", "removed", "restored"),
    *("withheld", "rejected"),
    *("rate_limit_remaining", "error_type", "error_message"),
)


def _with_age(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Add the columns for people: age of the last sync, next run, quota and progress."""
    synced = row["last_synced_at"]
    row["synced"] = _since(synced, now)
    row["next"] = until(row["next_run_at"], now)
    row["quota"] = row["rate_limit_remaining"]
    row["progress"] = None
    if row["status"] == "running":
        row["progress"] = f"page {row['pages']} of {row['pages_expected'] or '?'}"
        row["next"] = None
    if _waits(row, now):
        row["progress"] = f"waits until {time_of(row['not_before'])}"
    return row


def _since(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "never"
    return f"at {time_of(moment)}" if _is_ahead(moment, now) else f"{age_of(now - moment)} ago"


def _is_ahead(moment: datetime | None, now: datetime) -> bool:
    """Tell whether a past moment is in the future now, since the clock was set back."""
    return moment is not None and moment > now + OVERDUE


def _waits(row: Mapping[str, Any], now: datetime) -> bool:
    noted = row["started_at"], row["finished_at"]
    return believed(row["not_before"], now, noted=noted) is not None


def _explain(
    row: Mapping[str, Any], now: datetime, *, host: str | None, refusal: str | None
) -> None:
    """Print below the table why an account waits or failed, or why its next run will fail."""
    if _waits(row, now):
        until = f"{row['not_before']:%Y-%m-%d %H:%M:%S}"
        output.say(f"{row['account']}: waiting for quota until {until} UTC")
    if _is_ahead(row["last_synced_at"], now):
        output.say(
            f"{row['account']}: the last sync is in the future: this machine's clock "
            f"({now:%Y-%m-%d %H:%M} UTC) was ahead then, or is behind now"
        )
    if row["elsewhere"] and host is not None and is_same_host(row["host"], host):
        output.say(
            f"{row['account']}: {row['elsewhere']} repositories of another host still count as "
            "current; `repoledger backfill --accept-removals` removes them"
        )
    if refusal is not None and refusal != row["error_message"]:
        output.say(f"{row['account']}: {refusal}")
    elif row["error_message"]:
        times = f"failed {row['failures']} times in a row: " if (row["failures"] or 0) > 1 else ""
        output.say(f"{row['account']}: {times}{row['error_message']}")


def _explain_sharing(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print which accounts share the quota of one GitHub user."""
    names: dict[tuple[str, int], list[str]] = {}
    for row in rows:
        if row["user_id"] is not None:
            names.setdefault((row["host"], row["user_id"]), []).append(row["account"])
    for sharing in names.values():
        if len(sharing) > 1:
            print(f"{', '.join(sharing)}: one GitHub user, so they share one quota")
