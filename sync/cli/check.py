"""The command check: tests everything that a run needs, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

import typer

from sync.cli import output
from sync.cli.output import Format, FormatOption, JsonOption
from sync.cli.settings import ExitCode, Settings
from sync.errors import RepoledgerError

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.github.answers import Identity

_EXPIRES_SOON_DAYS = 14
_CLOCK_TOLERANCE = 60.0  # seconds


class Finding(NamedTuple):
    """One line of the doctor's: `fail` makes the command fail, `warn` does not."""

    result: Literal["ok", "warn", "fail"]
    what: str
    message: str


def check(ctx: typer.Context, fmt: FormatOption = Format.table, json: JsonOption = False) -> None:
    """Test configuration, tokens, GitHub and the database, without changing anything."""
    settings: Settings = ctx.obj
    config = settings.load()
    settings.start_log("error")
    findings = list(_findings(config))
    fmt = output.chosen(fmt, json)
    if fmt is Format.table:
        for finding in findings:
            print(f"{finding.result:4}  {finding.what}: {output.table_cell(finding.message)}")
    else:
        output.print_rows((finding._asdict() for finding in findings), fmt, columns=Finding._fields)
    failed = any(finding.result == "fail" for finding in findings)
    raise typer.Exit(ExitCode.FAILED if failed else ExitCode.SUCCEEDED)


def _findings(config: Config) -> Iterator[Finding]:
    names = ", ".join(account.name for account in config.accounts)
    yield Finding("ok", "configuration", f"{config.source}: accounts {names}")
    yield from _database(config)
    users: dict[int, str] = {}  # GitHub user -> the first account that signs in as it
    for account in config.accounts:
        yield from _account(config, account, users)


def _database(config: Config) -> Iterator[Finding]:
    from sync.database import migrate
    from sync.database.dialects import dialect_of

    dialect = dialect_of(config.database.url)
    try:
        findings = [
            Finding(f.result, "database", f.message)
            for f in dialect.findings(migrate.revisions()[-1])
        ]
        yield from findings
        if all(finding.result != "fail" for finding in findings):
            current = migrate.check(config.database.url)
            yield _schema(dialect.where, current, config.database.migrate)
    except RepoledgerError as error:
        yield Finding("fail", "database", str(error))


def _schema(where: str, current: str | None, mode: str) -> Finding:
    from sync.database import migrate

    newest = migrate.revisions()[-1]
    match migrate.state_of(current):
        case "current":
            return Finding("ok", "database", f"{where}: schema {current}")
        case "newer":
            message = f"{where}: schema {current} is newer than this program's {newest}"
            return Finding("fail", "database", f"{message}; install a newer repoledger")
        case state if mode == "auto":
            plan = "made" if state == "missing" else f"migrated from {current}"
            return Finding("ok", "database", f"{where}: will be {plan} by the next run")
        case _:
            return Finding("fail", "database", f"{where}: needs `repoledger migrate` first")


def _account(config: Config, account: Account, users: dict[int, str]) -> Iterator[Finding]:
    from sync.clients import client_for

    what = f"account {account.name}"
    try:
        # One attempt: a doctor answers at once, and tells the failure itself.
        with client_for(account, config, os.environ, attempts=1) as client:
            identity = client.check()
    except RepoledgerError as error:
        message = str(error).removeprefix(f"{what}: ")
        yield Finding("fail", what, message)
        return
    login = identity.user.login if identity.user else "?"
    if account.username and account.username.lower() != login.lower():
        yield Finding("warn", what, f"the token belongs to {login}, not to {account.username}")
    yield Finding("ok", what, f"signed in as {login}, {_credential(identity)}")
    yield from _expiry(what, account, identity)
    yield from _quota(what, identity)
    yield from _clock(what, identity)
    if account.signs_in and identity.user:
        other = users.setdefault(identity.user.id, account.name)
        if other != account.name:
            yield Finding("warn", what, f"the same GitHub user as account {other}: one quota")


def _credential(identity: Identity) -> str:
    if identity.scopes is None:
        return identity.token_kind
    return f"{identity.token_kind}, scopes: {', '.join(identity.scopes) or 'none'}"


def _expiry(what: str, account: Account, identity: Identity) -> Iterator[Finding]:
    if identity.expires_at is None:
        if account.signs_in:
            yield Finding("ok", what, "the token names no day on which it ends")
        return
    days = (identity.expires_at - datetime.now(UTC)).days
    soon = days < _EXPIRES_SOON_DAYS
    message = f"the token ends in {days} days, on {identity.expires_at:%Y-%m-%d}"
    yield Finding("warn" if soon else "ok", what, message)


def _quota(what: str, identity: Identity) -> Iterator[Finding]:
    quota = identity.rate_limit
    if quota is None:
        yield Finding("ok", what, "the server sets no limit on requests")
        return
    message = f"{quota.remaining} of {quota.limit} requests left until {quota.reset:%H:%M} UTC"
    yield Finding("ok" if quota.remaining else "warn", what, message)


def _clock(what: str, identity: Identity) -> Iterator[Finding]:
    skew = identity.clock_skew
    if skew is None:
        return
    if abs(skew) <= _CLOCK_TOLERANCE:
        yield Finding("ok", what, "this clock agrees with the server's")
        return
    direction = "ahead of" if skew > 0 else "behind"
    yield Finding("warn", what, f"this clock is {abs(skew):.0f} s {direction} the server's")
