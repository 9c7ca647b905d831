"""All checks of `repoledger check`: configuration, database, each account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from sync.config import Account, Config
from sync.config.exposure import open_files
from sync.config.rhythms import find_risky
from sync.config.sections import DEFAULT_FORGE
from sync.doctor import account as at_github
from sync.doctor.check_list import Finding, fail, ok, run, warn
from sync.doctor.database import LEDGER
from sync.doctor.moved_accounts import refused_by_ledger
from sync.doctor.resources import check_resources, check_stored
from sync.signin.clients import client_for


def diagnose(
    config: Config,
    environ: Mapping[str, str],
    stopping: Callable[[], AbstractContextManager[threading.Event]],
) -> Iterator[tuple[str, Finding]]:
    """Yield each finding with the name of its subject. Raises Interrupted.

    `stopping` yields the event that interrupts the requests of an account.
    """
    for finding in run(CONFIGURATION, nullcontext(config)):
        yield "configuration", finding
    for finding in run((*LEDGER, check_stored), nullcontext(config)):
        yield "database", finding
    users: dict[at_github.Quota, str] = {}

    @contextmanager
    def visited(account: Account) -> Iterator[at_github.Visit]:
        # Without retries, so that a failure is shown at once.
        with (
            stopping() as stop,
            client_for(account, config, environ, attempts=1, stop=stop) as client,
        ):
            forge, settings = config.forge_of(account), config.resources_of(account)
            yield at_github.Visit(client, account, forge, users, settings)

    refused = refused_by_ledger(config)
    for account in config.accounts:
        what = f"account {account.name}"
        if account.name in refused:  # its token may be of the host before
            yield what, fail(refused[account.name])
            continue
        for result, message in run((*at_github.CHECKS, check_resources), visited(account)):
            yield what, Finding(result, message.removeprefix(f"{what}: "))


def check_names(config: Config) -> Iterator[Finding]:
    """Report the configuration's file and its accounts."""
    names = ", ".join(account.name for account in config.accounts)
    yield ok(f"{config.source}: accounts {names}")


def check_forges(config: Config) -> Iterator[Finding]:
    """Warn of forges that no account uses: its accounts may have been meant for them."""
    used = {account.forge for account in config.accounts}
    for name in sorted(config.forges.keys() - used - {DEFAULT_FORGE}):
        yield warn(f'no account uses [forges.{name}]; an account does with `forge = "{name}"`')


def check_secret_files(config: Config) -> Iterator[Finding]:
    """Warn of files with secrets that others can read."""
    for file, cure in open_files(config.secret_files):
        yield warn(f"others can read {file}, which holds a secret: `{cure}`")


def check_rhythms(config: Config) -> Iterator[Finding]:
    """Warn of rhythms at which traffic may be lost before it is read."""
    for risky in find_risky(config):
        yield warn(risky.message)


CONFIGURATION = (check_names, check_forges, check_secret_files, check_rhythms)
