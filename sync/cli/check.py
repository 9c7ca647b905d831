"""The command check: tests everything that a run needs, and changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.output import Format, format_option, json_option
from sync.cli.settings import ExitCode, Settings
from sync.clock import utc_now
from sync.errors import RepoledgerError
from sync.finding import Finding
from sync.redaction import printable, scrub

if TYPE_CHECKING:
    from sync.checkup import Quota
    from sync.config import Account, Config

_COLUMNS = ("result", "what", "message")
_INDENT = " " * 6  # as wide as a result


@click.command
@format_option
@json_option
@click.pass_obj
def check(settings: Settings, fmt: Format, json: bool) -> None:
    """Test configuration, tokens, GitHub and the database, without changing anything.

    Ends with 1 if something would keep a run from working.
    """
    config = settings.load()
    settings.start_log("error")
    fmt, failed = output.chosen(fmt, json), False
    rows = []
    for what, finding in _findings(config):
        failed = failed or finding.result == "fail"
        message = scrub(finding.message)
        if fmt is Format.table:
            _show(finding.result, what, message)
        else:
            rows.append({"result": finding.result, "what": what, "message": message})
    if fmt is not Format.table:
        output.print_rows(rows, fmt, columns=_COLUMNS)
    raise Exit(ExitCode.FAILED if failed else ExitCode.SUCCEEDED)


def _show(result: str, what: str, message: str) -> None:
    """Print a finding on one line; on a terminal, on as many as it needs."""
    line = printable(f"{result:4}  {what}: {message}")
    if not sys.stdout.isatty():
        print(line)
        return
    width = max(shutil.get_terminal_size().columns, 40)
    wrapped = textwrap.wrap(
        line, width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )
    print("\n".join(wrapped))


def _findings(config: Config) -> Iterator[tuple[str, Finding]]:
    for finding in _configuration(config):
        yield "configuration", finding
    for finding in _database(config):
        yield "database", finding
    users: dict[Quota, str] = {}  # whose quota -> the first account that has it
    for account in config.accounts:
        for finding in _account(config, account, users):
            yield f"account {account.name}", finding


def _configuration(config: Config) -> Iterator[Finding]:
    from sync.config.exposure import open_files

    names = ", ".join(account.name for account in config.accounts)
    yield Finding("ok", f"{config.source}: accounts {names}")
    for file, cure in open_files(config.secret_files):
        yield Finding("warn", f"others can read {file}, which holds a secret: `{cure}`")


def _database(config: Config) -> Iterator[Finding]:
    from sync.database import migrate
    from sync.database.dialects import dialect_of

    dialect = dialect_of(config.database.url)
    try:
        findings = list(dialect.findings(migrate.revisions()[-1]))
        yield from findings
        if all(finding.result != "fail" for finding in findings):
            current = migrate.check(config.database.url)
            yield _schema(dialect.where, current, config.database.migrate)
            if migrate.state_of(current) == "current":
                yield from _known(config)
    except RepoledgerError as error:
        yield Finding("fail", str(error))


def _schema(where: str, current: str | None, mode: str) -> Finding:
    from sync.database import migrate

    newest = migrate.revisions()[-1]
    match migrate.state_of(current):
        case "current":
            return Finding("ok", f"{where}: schema {current}")
        case "newer":
            message = f"{where}: schema {current} is newer than this program's {newest}"
            return Finding("fail", f"{message}; install a newer repoledger")
        case state if mode == "auto":
            plan = "made" if state == "missing" else f"migrated from {current}"
            return Finding("ok", f"{where}: will be {plan} by the next run")
        case _:
            return Finding("fail", f"{where}: needs `repoledger migrate` first")


def _known(config: Config) -> Iterator[Finding]:
    """Tell what the ledger knows of accounts that would keep a run from beginning now."""
    from sync.database.queries import Ledger

    with Ledger(config.database.url) as ledger:
        rows = {row["account"]: row for row in ledger.status(counted=False)}
    for account in config.accounts:
        row = rows.get(account.name, {"status": None, "not_before": None})
        if row["status"] == "running":
            yield _running(config, account.name)
        until = row["not_before"]
        if until is not None and until > utc_now():
            when = f"{until:%Y-%m-%d %H:%M} UTC"
            yield Finding("warn", f"GitHub has asked {account.name} to wait until {when}")


def _running(config: Config, name: str) -> Finding:
    """Tell whether a run that has not ended is still there, by the lock that goes with it."""
    from sync.database.dialects import dialect_of
    from sync.errors import RunInProgress

    try:
        with dialect_of(config.database.url).account_lock(name, wait=False):
            return Finding("ok", f"the last run of {name} was cut off; the next goes on from there")
    except RunInProgress:
        return Finding("ok", f"a run of {name} is in progress; another would be turned away")


def _account(config: Config, account: Account, users: dict[Quota, str]) -> Iterator[Finding]:
    from sync.checkup import examine
    from sync.clients import client_for

    try:
        # One attempt: a doctor answers at once, and tells the failure itself.
        with client_for(account, config, os.environ, attempts=1) as client:
            yield from examine(client, account, config.github, users)
    except RepoledgerError as error:
        yield Finding("fail", str(error).removeprefix(f"account {account.name}: "))
