"""The command backfill: one sync of every account, now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import completion, output
from sync.cli.dry_run import SILENT, preview
from sync.cli.formats import Format
from sync.cli.job import Job
from sync.cli.narrowing import (
    Narrowing,
    narrowed,
    narrowing_options,
    require_on,
    tell,
    wanted_by,
)
from sync.cli.outcomes import explain, explain_resources, has_counts, row_of
from sync.cli.progress_bar import run_progress
from sync.cli.result import Result, result_options
from sync.cli.settings import ExitCode, Settings, exit_code_of, stop_on_signals, worst
from sync.cli.tables import of_status
from sync.core.errors import ConfigError, Interrupted, RepoledgerError
from sync.core.memory import is_exhausted

if TYPE_CHECKING:
    from sync.config import Account, Config
    from sync.database.store import Store
    from sync.forges.forge import Forge
    from sync.run.outcome import RunOutcome

_COLUMNS = (
    *("account", "status", "complete", "pages", "inserted", "updated", "unchanged", "removed"),
    *("restored", "withheld", "rejected", "skipped", "requests", "not_modified"),
    *("wait_seconds", "seconds", "rate_limit_remaining", "run_id", "not_before"),
    *("error_type", "error_message", "lost_days", "waiting", "nothing_lost_before"),
)
_LEFT_OUT = "resources are left out of a dry run; `repoledger resources` shows what is due"
_OF_JSON = ("resources",)  # a list for each account
_TABLE_COLUMNS = (
    *("account", "status", "inserted", "updated", "unchanged", "removed", "rejected", "seconds"),
)


@click.command
@click.option(
    "--account",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.accounts,
    help="Sync only this account; may be repeated.",
)
@click.option("--full", is_flag=True, help="Ignore remembered ETags; download every page.")
@click.option(
    "--dry-run", is_flag=True, help="Print the changes that a run would make; write nothing."
)
@click.option(
    "--accept-removals",
    is_flag=True,
    help="Confirm removals that an earlier run withheld.",
)
@click.option(
    "--max-wait",
    metavar="TIME",
    help="Longest wait for quota, such as 15m. Default: max_wait of the account's host.",
)
@click.option("--wait", is_flag=True, help="If another run of the account is active, wait for it.")
@click.option(
    "--quiet-if-unchanged",
    is_flag=True,
    help="Of a run in which nothing changed, print nothing, and leave it out of the ledger: "
    "`status` then tells of the last one that changed something.",
)
@narrowing_options
@result_options
@click.pass_obj
def backfill(
    settings: Settings,
    account: tuple[str, ...],
    full: bool,
    dry_run: bool,
    accept_removals: bool,
    max_wait: str | None,
    wait: bool,
    quiet_if_unchanged: bool,
    only: tuple[str, ...],
    resources: tuple[str, ...],
    repository: tuple[str, ...],
    result: Result,
) -> None:
    """Sync every account once, now: its list of repositories, then what is due of each.

    You can stop it at any moment and run it again: unchanged pages cost no quota, and
    unchanged rows are not written.

    Example: repoledger backfill --account me --dry-run
    """
    if dry_run and (full or wait or quiet_if_unchanged):
        raise click.BadParameter(
            "--dry-run cannot be combined with --full, --wait or --quiet-if-unchanged"
        )
    flags = {"--dry-run": dry_run, "--accept-removals": accept_removals}
    given = [flag for flag, is_given in flags.items() if is_given]
    narrowing = narrowed(only, resources, repository, given)
    result.require()
    from sync.config import exposure, rhythms

    config = settings.load()
    patience = _seconds(max_wait)
    chosen = (
        [config.account(name) for name in dict.fromkeys(account)] if account else config.accounts
    )
    notes = require_on(config, chosen, narrowing)
    settings.start_log(silent=SILENT if dry_run else (), once=True)
    exposure.warn_of(config.secret_files)
    rhythms.warn_of(config)
    tell(notes)
    with stop_on_signals() as stop:
        job = Job(config, stop, patience)
        if dry_run:
            with result.opened():
                code = preview(chosen, job, result.format, accept=accept_removals)
                alone = narrowing.resources is None and _are_on(config, chosen)
                if result.is_table and alone:
                    print(_LEFT_OUT)
        else:
            options = {"full": full, "wait": wait, "accept_removals": accept_removals}
            options["quiet"] = quiet_if_unchanged
            code = _sync(job, chosen, result, narrowing, options)
    raise Exit(code)


def _are_on(config: Config, accounts: Sequence[Account]) -> bool:
    """Return whether any resource is switched on."""
    return any(each.on for account in accounts for each in config.resources_of(account).values())


def _sync(
    job: Job,
    accounts: Sequence[Account],
    result: Result,
    narrowing: Narrowing,
    options: Mapping[str, bool],
) -> ExitCode:
    from sync.database import migrate
    from sync.database.store import Store
    from sync.run.outcome import RunOutcome

    clients = _clients(job, accounts)
    migrate.prepare(job.config.database.url, job.config.database.migrate)
    outcomes: list[RunOutcome] = []
    crash: Exception | None = None
    with Store(job.config.database.url, stop=job.stop) as store:
        asked = _asked(job, accounts, store, narrowing)
        for account in accounts:  # a failed account does not stop the next
            if account.name not in asked:
                continue
            mine = {**options, **asked[account.name]}
            try:
                outcomes.append(_sync_account(job, account, clients[account.name], store, mine))
            except Exception as error:
                if is_exhausted(error):
                    raise
                crash = crash or error
                unexpected = RepoledgerError(f"unexpected error: {type(error).__name__}")
                outcomes.append(RunOutcome.not_begun(account.name, unexpected))
    outcomes = [outcome for outcome in outcomes if not outcome.forgotten]
    if outcomes or not options["quiet"]:
        with result.opened():
            _print(job.config, outcomes, result, narrowing)
    if crash is not None:
        raise crash
    return worst([_code_of(outcome) for outcome in outcomes])


def _print(
    config: Config, outcomes: Sequence[RunOutcome], result: Result, narrowing: Narrowing
) -> None:
    if not result.is_table:
        nested = result.format in (Format.json, Format.ndjson)
        columns = (*_COLUMNS, *_OF_JSON) if nested else _COLUMNS
        output.print_rows(map(row_of, outcomes), result.format, columns=columns)
        return
    rows = [
        row_of(outcome) | {"status": of_status(outcome.status)}
        for outcome in outcomes
        if has_counts(outcome)
    ]
    if rows:
        output.print_rows(rows, result.format, columns=_TABLE_COLUMNS)
    for outcome in outcomes:
        explain(outcome, config.account(outcome.account))
        explain_resources(outcome, narrowing)


def _asked(
    job: Job, accounts: Sequence[Account], store: Store, narrowing: Narrowing
) -> dict[str, dict[str, Any]]:
    """Return the options of each account's run by the narrowing; none of one without a run.

    An account that was never listed is listed first. Raises NoSuchRepository, AmbiguousName.
    """
    from sync.database.queries import Ledger

    listed = {
        each.name: store.account(each.name).get("last_synced_at") is not None for each in accounts
    }
    theirs: dict[str, tuple[str, ...]] = {}
    if narrowing.repositories:
        with Ledger(job.config.database.url) as ledger:
            theirs = wanted_by(listed, narrowing, ledger.listing)
    asked = {}
    for each in accounts:
        settings = job.config.resources_of(each)
        chosen = narrowing.resources
        nothing = chosen is not None and not any(settings[name].on for name in chosen)
        if narrowing.repositories and each.name not in theirs:
            continue
        if not narrowing.lists and nothing:
            continue
        lists = narrowing.lists or not listed[each.name]
        if lists and not narrowing.lists:
            output.print_warning(f"{each.name}: never listed until now, so its list comes first")
        asked[each.name] = {
            "chosen": chosen,
            "lists": lists,
            "repositories": theirs.get(each.name, ()),
        }
    return asked


def _clients(job: Job, accounts: Sequence[Account]) -> dict[str, Forge | RepoledgerError]:
    """Return a client for each account, or the error if it has none.

    Called first, so that no database is made if no account has a secret. Raises ConfigError
    then, and Interrupted.
    """
    clients: dict[str, Forge | RepoledgerError] = {}
    for account in accounts:
        try:
            clients[account.name] = job.client(account)
        except Interrupted:
            raise
        except RepoledgerError as error:
            clients[account.name] = error
    problems = [str(found) for found in clients.values() if isinstance(found, RepoledgerError)]
    if len(problems) == len(clients):
        raise ConfigError(*problems)
    return clients


def _sync_account(
    job: Job,
    account: Account,
    client: Forge | RepoledgerError,
    store: Store,
    options: Mapping[str, Any],
) -> RunOutcome:
    from sync.run.outcome import RunOutcome, log_outcome
    from sync.run.record import record_refusal

    try:
        if isinstance(client, RepoledgerError):
            raise client
        with client, run_progress(account.name) as progress:
            trigger = "backfill" if options["lists"] else "resources"
            return job.sync(account, client, store, progress, trigger, eager=True, **options)
    except ConfigError as error:
        host = job.config.forge_of(account).host
        return record_refusal(store, account.name, host, "backfill", error)
    except RepoledgerError as error:
        outcome = RunOutcome.not_begun(account.name, error)
        log_outcome(outcome)
        return outcome


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
        raise click.BadParameter(str(error), param_hint="--max-wait") from None
