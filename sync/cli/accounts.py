"""The command accounts: who signs in, by what, and until when."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.output import Format, format_option, json_option
from sync.cli.settings import ExitCode, Settings
from sync.errors import RepoledgerError
from sync.redaction import scrub

if TYPE_CHECKING:
    from sync.config import Account, Config

_TABLE = ("account", "login", "kind", "source", "secret", "scopes", "expires_at")
_COLUMNS = (*_TABLE, "renewed", "problem")
_TOLD = 4  # characters of a secret, at its end, and only of one that is long enough
_LONG_ENOUGH = 20


@click.command
@click.option("--offline", is_flag=True, help="Do not ask GitHub: no login, scopes or expiry.")
@format_option
@json_option
@click.pass_obj
def accounts(settings: Settings, offline: bool, fmt: Format, json: bool) -> None:
    """List the accounts: where each secret comes from, its kind, scopes and end.

    Of a secret no more than its last four characters are shown. Ends with 1 if an account
    cannot sign in.
    """
    from sync.config.exposure import open_files

    config = settings.load()
    settings.start_log("error")
    for file, cure in open_files(config.secret_files):
        output.print_warning(f"others can read {file}, which holds a secret: `{cure}`")
    rows = [_row(config, account, offline=offline) for account in config.accounts]
    fmt = output.chosen(fmt, json)
    if fmt is Format.table:
        output.print_rows(map(_shown, rows), fmt, columns=_TABLE)
        for row in rows:
            if row["problem"]:
                output.say(f"{row['account']}: {row['problem']}")
    else:
        output.print_rows(rows, fmt, columns=_COLUMNS)
    failed = any(row["problem"] for row in rows)
    raise Exit(ExitCode.FAILED if failed else ExitCode.SUCCEEDED)


def _row(config: Config, account: Account, *, offline: bool) -> dict[str, Any]:
    from sync.clients import client_for

    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {"account": account.name, "source": source_of(account)}
    try:
        with client_for(account, config, os.environ, attempts=1) as client:
            credentials = client.credentials
            row |= {"kind": credentials.kind, "secret": ending(client.token)}
            row["renewed"] = credentials.renews
            if not offline:
                identity = client.check()
                row["login"] = identity.user.login if identity.user else None
                row["scopes"] = None if identity.scopes is None else " ".join(identity.scopes)
                row["expires_at"] = identity.expires_at
    except RepoledgerError as error:
        row["problem"] = scrub(str(error)).removeprefix(f"account {account.name}: ")
    return row


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as people need it: the day on which they have to do something."""
    ends = row["expires_at"]
    return row | {"expires_at": "renewed" if row["renewed"] else ends and f"{ends:%Y-%m-%d}"}


def source_of(account: Account) -> str:
    """Return where an account's secret comes from, in words."""
    if account.token_env:
        return f"variable {account.token_env}"
    if account.token_file:
        return f"file {account.token_file}"
    if account.token_command:
        return f"command {account.token_command[0]}"
    if account.keyring:
        return "keyring"
    if account.app_id:
        key = account.private_key_file or account.private_key_env
        return f"App {account.app_id}, key in {key}"
    return "none"


def ending(secret: str | None) -> str | None:
    """Return the last characters of a secret; none of a short one."""
    if secret is None:
        return None
    return f"…{secret[-_TOLD:]}" if len(secret) >= _LONG_ENOUGH else "…"
