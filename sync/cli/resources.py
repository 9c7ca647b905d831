"""The command resources: what is read of each account's repositories, and what is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from sync.cli import completion, output
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings
from sync.cli.times import age_of, until

if TYPE_CHECKING:
    from sync.config import Config
    from sync.config.resources import ResourceSetting
    from sync.database.resource_status import ResourceStatus

_SHOWN = ("resource", "is", "read", "refused", "oldest", "waits", "lost", "spent", "next")
_COLUMNS = (
    *("account", "resource", "setting", "repositories", "read", "refused", "missing", "failed"),
    *("reason", "oldest_at", "newest_at", "waiting", "never_read", "next_at"),
    *("nothing_lost_before", "lost_days", "lost_since", "requests_24h", "requests_last_run"),
)


@click.command
@click.option(
    "--account",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.accounts,
    help="Show only this account.",
)
@result_options
@click.pass_obj
def resources(settings: Settings, account: tuple[str, ...], result: Result) -> None:
    """Show what is read of the repositories: traffic, stars, downloads, languages.

    `read` and `refused` count repositories, `waits` those that are due or were never read,
    `lost` days whose figures GitHub forgot before they were read, `spent` requests of the last
    24 hours. Reads the ledger alone; `repoledger check` asks GitHub what the token may.
    """
    config = settings.load()
    chosen = [config.account(name).name for name in dict.fromkeys(account)] or [
        each.name for each in config.accounts
    ]
    now = datetime.now(UTC)
    found = statuses(config, chosen)
    wanted = {each.name: config.resources_of(each) for each in config.accounts}
    pairs = [(each, wanted[each.account][each.resource]) for each in found]
    with result.opened():
        if not result.is_table:
            output.print_rows((_row(*pair) for pair in pairs), result.format, columns=_COLUMNS)
            return
        shown: Sequence[str] = _SHOWN
        if len(chosen) > 1:  # 80 columns have no room for what the lines below say
            shown = ("account", *(name for name in _SHOWN if name != "refused"))
        output.print_rows((_shown(*pair, now) for pair in pairs), result.format, columns=shown)
        from sync.digest.needs import resource_needs

        for sentence in resource_needs(pairs, now):
            output.say(sentence)


def statuses(config: Config, accounts: Collection[str]) -> list[ResourceStatus]:
    """Return the state of each resource of these accounts, by the ledger."""
    from sync.database.queries import Ledger

    settings = {
        each.name: config.resources_of(each) for each in config.accounts if each.name in accounts
    }
    with Ledger(config.database.url) as ledger:
        return ledger.resources(settings)


def setting_of(setting: ResourceSetting) -> str:
    """Return how a resource is configured: auto, on or off."""
    if not setting.on:
        return "off"
    return "on" if setting.by_name else "auto"


def _row(status: ResourceStatus, setting: ResourceSetting) -> dict[str, Any]:
    from sync.digest.needs import problem

    return {
        "account": status.account,
        "resource": status.resource,
        "setting": setting_of(setting),
        "repositories": status.wanted,
        "read": status.read,
        "refused": status.refused,
        "missing": status.statuses["missing"],
        "failed": status.statuses["failed"],
        "reason": problem(status, setting),
        "oldest_at": status.oldest,
        "newest_at": status.newest,
        "waiting": status.waiting if setting.on else 0,
        "never_read": status.never_read,
        "next_at": status.next_at if setting.on else None,
        "nothing_lost_before": status.lost_at if setting.on else None,
        "lost_days": status.lost_days,
        "lost_since": status.lost_since,
        "requests_24h": status.requests_of_day,
        "requests_last_run": status.requests_of_run,
    }


def _shown(status: ResourceStatus, setting: ResourceSetting, now: datetime) -> Mapping[str, Any]:
    row = _row(status, setting)
    return row | {
        "is": row["setting"],
        "oldest": age_of(now - status.oldest) if status.oldest else None,
        "waits": row["waiting"],
        "lost": status.lost_days,
        "spent": status.requests_of_day,
        "next": _next(status, row, now),
    }


def _next(status: ResourceStatus, row: Mapping[str, Any], now: datetime) -> str | None:
    from sync.resources import BY_NAME

    if row["waiting"]:
        return "now"
    if status.read and row["setting"] != "off" and BY_NAME[status.resource].due.when_changed:
        return "on change"
    return until(row["next_at"], now)


def in_short(found: Sequence[tuple[ResourceStatus, ResourceSetting]]) -> dict[str, Any]:
    """Return numbers over the resources of an account that are on."""
    on = [status for status, setting in found if setting.on]
    return {
        "read": sum(each.read for each in on),
        "refused": sum(each.refused for each in on),
        "waiting": sum(each.waiting for each in on),
        "lost_days": sum(each.lost_days for each in on),
        "oldest_at": min((each.oldest for each in on if each.oldest), default=None),
    }
