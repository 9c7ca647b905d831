"""The command accounts: each account's user, way of signing in, and expiry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.hosts import host_columns
from sync.cli.result import Result, result_options
from sync.cli.settings import ExitCode, Settings, stop_on_signals
from sync.core.errors import Interrupted, RepoledgerError
from sync.core.redaction import scrub

if TYPE_CHECKING:
    from sync.config import Account, Config

_TABLE = ("login", "kind", "source", "secret", "scopes", "expires_at")
_COLUMNS = ("account", *_TABLE, "renewed", "problem", "host")
_TOLD = 4  # characters shown of the end of a secret
_LONG_ENOUGH = 20  # characters; of a shorter secret, none is shown


@click.command
@click.option("--offline", is_flag=True, help="Do not ask GitHub: no login, scopes or expiry.")
@result_options
@click.pass_obj
def accounts(settings: Settings, offline: bool, result: Result) -> None:
    """List the accounts: where each secret comes from, its kind, scopes and expiry.

    Shows at most the last four characters of a secret. Exits with 1 if an account cannot
    sign in.
    """
    from sync.config.exposure import open_files
    from sync.doctor.moved_accounts import refused_by_ledger

    config = settings.load()
    settings.start_log("error")
    for file, cure in open_files(config.secret_files):
        output.print_warning(f"others can read {file}, which holds a secret: `{cure}`")
    refused = refused_by_ledger(config)
    rows = [
        _row(config, account, refused.get(account.name), offline=offline)
        for account in config.accounts
    ]
    with result.opened():
        if result.is_table:
            columns = ("account", *host_columns({row["host"] for row in rows}), *_TABLE)
            output.print_rows(map(_shown, rows), result.format, columns=columns)
            for row in rows:
                if row["problem"]:
                    output.say(f"{row['account']}: {row['problem']}")
        else:
            output.print_rows(rows, result.format, columns=_COLUMNS)
    failed = any(row["problem"] for row in rows)
    raise Exit(ExitCode.FAILED if failed else ExitCode.SUCCEEDED)


def _row(config: Config, account: Account, refusal: str | None, *, offline: bool) -> dict[str, Any]:
    from sync.signin.clients import client_for

    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    host = config.forge_of(account).host
    row |= {"account": account.name, "host": host, "source": source_of(account)}
    row["problem"] = refusal
    if refusal is not None:  # its token may be of the host before
        return row
    try:
        with (
            stop_on_signals() as stop,
            client_for(account, config, os.environ, attempts=1, stop=stop) as client,
        ):
            credentials = client.credentials
            row |= {"kind": credentials.kind, "secret": ending(client.token)}
            row["renewed"] = credentials.renews
            if not offline:
                identity = client.check()
                row["login"] = identity.user.login if identity.user else None
                row["scopes"] = None if identity.scopes is None else " ".join(identity.scopes)
                row["expires_at"] = identity.expires_at
    except Interrupted:
        raise
    except RepoledgerError as error:
        row["problem"] = scrub(str(error)).removeprefix(f"account {account.name}: ")
    return row


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for the table: an expiry only if you have to act before it."""
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
    """Return the last characters of a secret; of a short secret, none."""
    if secret is None:
        return None
    return f"…{secret[-_TOLD:]}" if len(secret) >= _LONG_ENOUGH else "…"
