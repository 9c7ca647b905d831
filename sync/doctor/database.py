"""The checks of the ledger: its database, its schema, and its rows about each account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from sync.config import Config
from sync.core.clock import utc_now
from sync.core.deadline import believed
from sync.core.errors import RunInProgress
from sync.core.origin import is_same_host
from sync.database import migrate
from sync.database.dialects import Dialect, dialect_of
from sync.database.dialects.sqlite import Sqlite
from sync.database.queries import Ledger
from sync.doctor import mysql, postgresql, sqlite
from sync.doctor.check_list import Finding, Stop, fail, ok, run, warn
from sync.doctor.clearing import what_waits


def check_database(config: Config) -> Iterator[Finding]:
    """Check that a run can connect, write and migrate."""
    failed = False
    for finding in findings(dialect_of(config.database.url)):
        failed = failed or finding.result == "fail"
        yield finding
    if failed:
        raise Stop


def findings(dialect: Dialect) -> Iterator[Finding]:
    """Run the checks of one kind of database, which change nothing in it."""
    if isinstance(dialect, Sqlite):
        return run(sqlite.CHECKS, nullcontext(dialect))
    if dialect.name == "postgresql":
        return run(postgresql.CHECKS, postgresql.connected(dialect))
    return run(mysql.CHECKS, mysql.connected(dialect))


def check_schema(config: Config) -> Iterator[Finding]:
    """Compare the schema's version with the program's."""
    where = dialect_of(config.database.url).where
    current, newest = migrate.check(config.database.url), migrate.revisions()[-1]
    state = migrate.state_of(current)
    if state == "current":
        yield ok(f"{where}: schema {current}")
        return
    if state == "newer":
        message = f"{where}: schema {current} is newer than this program's {newest}"
        yield fail(f"{message}; install a newer repoledger")
    elif config.database.migrate == "auto":
        plan = "created" if state == "missing" else f"migrated from {current}"
        yield ok(f"{where}: will be {plan} by the next run")
    else:
        yield fail(f"{where}: needs `repoledger migrate` first")
    raise Stop


def check_clearing(config: Config) -> Iterator[Finding]:
    """Warn of private repositories that wait to be redacted or purged."""
    with Ledger(config.database.url) as ledger:
        waiting = what_waits(config, ledger)
    if waiting is not None:
        yield warn(waiting)


def check_last_runs(config: Config) -> Iterator[Finding]:
    """Report rows in the ledger that would keep an account's run from starting now."""
    with Ledger(config.database.url) as ledger:
        rows = {row["account"]: row for row in ledger.status()}
    for account in config.accounts:
        row = rows.get(account.name)
        if row is None:
            continue
        yield from _former_host(account.name, config.forge_of(account).host, row)
        if row["status"] == "running":
            yield _running(config, account.name)
        noted = row["started_at"], row["finished_at"]
        until = believed(row["not_before"], utc_now(), noted=noted)
        if until is not None:
            when = f"{until:%Y-%m-%d %H:%M} UTC"
            yield warn(f"GitHub has asked {account.name} to wait until {when}")


LEDGER = (check_database, check_schema, check_clearing, check_last_runs)


def _former_host(name: str, host: str, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Report repositories that an account has at a host before its present one."""
    if row["elsewhere"] and is_same_host(row["host"], host):
        yield warn(
            f"{row['elsewhere']} repositories that {name} listed at another host than {host} are "
            "still current; `repoledger backfill --accept-removals` removes them"
        )


def _running(config: Config, name: str) -> Finding:
    """Report whether an unfinished run is still alive, by the account's lock."""
    try:
        with dialect_of(config.database.url).account_lock(name, wait=False):
            return ok(f"the last run of {name} was interrupted; the next run continues it")
    except RunInProgress:
        return ok(f"a run of {name} is in progress; a second one would be refused")
