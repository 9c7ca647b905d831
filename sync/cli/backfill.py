"""The command backfill: one sync of every account, now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.dry_run import preview
from sync.cli.job import Job
from sync.cli.output import Format, format_option, json_option
from sync.cli.progress import run_progress
from sync.cli.settings import ExitCode, Settings, exit_code_of, stop_on_signals, worst
from sync.errors import RepoledgerError

if TYPE_CHECKING:
    from sync.config import Account
    from sync.database.store import Store
    from sync.github.client import GitHubClient
    from sync.outcome import RunOutcome

_COLUMNS = (
    *("account", "status", "complete", "pages", "inserted", "updated", "unchanged", "removed"),
    *("restored", "withheld", "rejected", "skipped", "requests", "not_modified"),
    *("wait_seconds", "seconds", "rate_limit_remaining", "run_id", "not_before"),
    *("error_type", "error_message"),
)
_TABLE_COLUMNS = (
    *("account", "status", "inserted", "updated", "unchanged", "removed", "rejected", "seconds"),
)


@click.command
@click.option(
    "--account", metavar="NAME", multiple=True, help="Sync only this account; may be repeated."
)
@click.option("--full", is_flag=True, help="Ask for every page whole, whatever is remembered.")
@click.option("--dry-run", is_flag=True, help="Print what would change, field by field; no write.")
@click.option(
    "--accept-removals",
    is_flag=True,
    help="Remove what is missing, also where that was withheld.",
)
@click.option(
    "--max-wait",
    metavar="TIME",
    help="Longest wait for quota, such as 15m; else github.max_wait.",
)
@click.option("--wait", is_flag=True, help="Wait for another run of the account to finish.")
@format_option
@json_option
@click.pass_obj
def backfill(
    settings: Settings,
    account: tuple[str, ...],
    full: bool,
    dry_run: bool,
    accept_removals: bool,
    max_wait: str | None,
    wait: bool,
    fmt: Format,
    json: bool,
) -> None:
    """Sync every account once, now.

    Safe to stop at any moment and to run again: pages that have not changed
    cost no quota, rows that have not changed are not written.

    Example: repoledger backfill --account me --dry-run
    """
    fmt = output.chosen(fmt, json)
    if dry_run and (full or wait):
        raise click.BadParameter("--dry-run goes with neither --full nor --wait")
    from sync.config import exposure

    config = settings.load()
    patience = _seconds(max_wait)
    chosen = (
        [config.account(name) for name in dict.fromkeys(account)] if account else config.accounts
    )
    settings.start_log()
    exposure.warn_of(config.secret_files)
    with stop_on_signals() as stop:
        job = Job(config, stop, patience)
        if dry_run:
            code = preview(chosen, job, fmt, accept=accept_removals)
        else:
            options = {"full": full, "wait": wait, "accept_removals": accept_removals}
            code = _sync(job, chosen, fmt, options)
    raise Exit(code)


def _sync(
    job: Job, accounts: Sequence[Account], fmt: Format, options: Mapping[str, bool]
) -> ExitCode:
    from sync.database import migrate
    from sync.database.store import Store

    clients = [job.client(account) for account in accounts]  # a missing token shows before any work
    migrate.prepare(job.config.database.url, job.config.database.migrate)
    outcomes: list[RunOutcome] = []
    with Store(job.config.database.url, stop=job.stop) as store:
        for account, client in zip(accounts, clients, strict=True):
            with client:  # one account never stops the others
                outcomes.append(_sync_account(job, account, client, store, options))
    rows = [outcome.as_dict() for outcome in outcomes]
    output.print_rows(rows, fmt, columns=_COLUMNS, table_columns=_TABLE_COLUMNS)
    if fmt is Format.table:
        for outcome in outcomes:
            _explain(outcome)
    return worst([_code_of(outcome) for outcome in outcomes])


def _sync_account(
    job: Job,
    account: Account,
    client: GitHubClient,
    store: Store,
    options: Mapping[str, bool],
) -> RunOutcome:
    from sync.outcome import RunOutcome, log_outcome
    from sync.runner import run_sync

    try:
        with run_progress(account.name) as progress:
            client.on_wait = progress.waiting
            until = store.deferred_until(account.name, client.page_key("identity"))
            job.respect_deferral(account, client, until)
            return run_sync(
                account=account.name,
                client=client,
                store=store,
                trigger="backfill",
                visibility=account.visibility,
                affiliation=account.affiliation,
                removals=job.config.removals,
                configured=[other.name for other in job.config.accounts],
                **options,
                progress=progress,
                limits=job.limits,
            )
    except RepoledgerError as error:
        outcome = RunOutcome.not_begun(account.name, error)
        log_outcome(outcome)
        return outcome


def _explain(outcome: RunOutcome) -> None:
    """Say below the table what a person has to know beyond it."""
    name = outcome.account
    if outcome.status == "deferred" and outcome.not_before is not None:
        print(
            f"{name}: deferred: GitHub answers again at {outcome.not_before:%Y-%m-%d %H:%M:%S} "
            "UTC. Run again then; what is stored already will cost no quota."
        )
    elif outcome.status == "interrupted":
        print(f"{name}: interrupted; what was stored stays, run again to go on.")
    elif outcome.error is not None:
        output.say(f"{name}: {outcome.error}")
    elif outcome.counts.rejected:
        print(
            f"{name}: {outcome.counts.rejected} items could not be stored; why is in the table "
            f"rejected_items, run_id {outcome.run_id}."
        )
    elif outcome.status == "partial":
        print(f"{name}: GitHub left out organizations whose single sign-on the token lacks.")


def _code_of(outcome: RunOutcome) -> ExitCode:
    codes = {
        "succeeded": ExitCode.SUCCEEDED,
        "partial": ExitCode.PARTIAL,
        "deferred": ExitCode.DEFERRED,
        "interrupted": ExitCode.INTERRUPTED,
    }
    if outcome.status in codes:
        return codes[outcome.status]
    return exit_code_of(outcome.error) if outcome.error else ExitCode.FAILED


def _seconds(text: str | None) -> float | None:
    from sync.config.values import Seconds

    if text is None:
        return None
    try:
        return Seconds.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"it {error}", param_hint="--max-wait") from None
