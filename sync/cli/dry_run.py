"""The option --dry-run of backfill: prints the difference that a run would make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sync.cli import output
from sync.cli.hosts import host_columns
from sync.cli.output import Format
from sync.cli.settings import ExitCode, exit_code_of, worst
from sync.core.errors import RemovalsWithheld, RepoledgerError

if TYPE_CHECKING:
    from sync.cli.job import Job
    from sync.config import Account
    from sync.database.scratch import ScratchLedger
    from sync.database.store import Store

# The loggers of runs and of the ledger: their events have not really happened.
SILENT = ("sync.runner", "sync.database")
_COLUMNS = ("account", "repository", "id", "action", "field", "old_value", "new_value", "host")
_SHOWN = ("repository", "action", "field", "old_value", "new_value")


def preview(accounts: Sequence[Account], job: Job, fmt: Format, *, accept: bool) -> ExitCode:
    """Print the difference for each account; a failed account does not stop the next."""
    from sync.database.scratch import scratch_ledger
    from sync.database.store import Store

    codes: list[ExitCode] = []
    failures: list[str] = []
    withheld: dict[str, str] = {}

    def rows(scratch: ScratchLedger, store: Store) -> Iterator[dict[str, Any]]:
        for account in accounts:
            try:
                for row in _rows(account, job, scratch, store, accept=accept):
                    if row["action"] in ("reject", "withhold"):
                        codes.append(ExitCode.PARTIAL)
                    if row["action"] == "withhold":
                        withheld[account.name] = row["new_value"]
                    yield row
            except RemovalsWithheld:
                codes.append(ExitCode.PARTIAL)
            except RepoledgerError as error:
                codes.append(exit_code_of(error))
                failures.append(f"account {account.name}: {error}")

    url = job.config.database.url
    with scratch_ledger(url, job.stop) as scratch, Store(scratch.url, stop=job.stop) as store:
        found: Iterable[dict[str, Any]] = rows(scratch, store)
        hosts: set[str] = set()
        told: Counter[str] = Counter()
        if fmt is Format.table:
            # A table needs all of its rows anyway, and failures are known only then.
            all_rows = list(found)
            hosts = {row["host"] for row in all_rows}
            keys = {(row["action"], row["host"], row["id"]): None for row in all_rows}
            told = Counter(action for action, _, _ in keys)
            found = _in_short(all_rows)
        output.print_rows(
            found,
            fmt,
            columns=_COLUMNS,
            table_columns=(*host_columns(hosts), *_SHOWN),
            empty="nothing to show" if failures else "nothing would change",
        )
    if told:
        print(f"\nin sum: {', '.join(f'{action} {number:,}' for action, number in told.items())}")
    for name, why in withheld.items() if fmt is Format.table else ():
        output.say(f"{name}: withheld: {why}")  # the table may have no room for the reason
    for failure in failures:
        output.print_error(failure)
    return worst(codes)


def _in_short(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one row of each new repository, not one of each of its fields, and the others."""
    seen: set[tuple[str, int]] = set()
    for row in rows:
        if row["action"] != "insert":
            yield row
        elif (key := (row["host"], row["id"])) not in seen:
            seen.add(key)
            yield row | dict.fromkeys(("field", "old_value", "new_value"))


def _rows(
    account: Account, job: Job, scratch: ScratchLedger, store: Store, *, accept: bool
) -> Iterator[dict[str, Any]]:
    """Run into the scratch ledger; yield the difference, and raise the run's error."""
    from sync.run.dry_run import DryRun

    run = DryRun(scratch)
    with job.client(account) as client:
        asked = {"accept_removals": accept, "chosen": ()}
        outcome = job.sync(account, client, store, run, "dry-run", **asked)
    for difference in run.difference(outcome):
        for change in difference.changes:
            yield {
                "account": account.name,
                "repository": difference.full_name,
                "id": difference.id,
                "action": difference.action,
                **change._asdict(),
                "host": difference.host or client.host,
            }
    if outcome.error is not None:
        raise outcome.error
