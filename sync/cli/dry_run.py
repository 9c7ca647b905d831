"""What `backfill --dry-run` prints: the difference that a run would make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sync.cli import output
from sync.cli.output import Format
from sync.cli.settings import ExitCode, exit_code_of, worst
from sync.errors import RepoledgerError

if TYPE_CHECKING:
    from sync.cli.job import Job
    from sync.config import Account
    from sync.preview import Written

_COLUMNS = ("account", "repository", "id", "action", "field", "old_value", "new_value")


def preview(accounts: Sequence[Account], job: Job, fmt: Format, *, accept: bool) -> ExitCode:
    """Print the difference for each account; one that fails does not stop the others."""
    from sync.preview import Written

    codes: list[ExitCode] = []
    failures: list[str] = []
    withheld: dict[str, str] = {}
    written = Written()

    def rows() -> Iterator[dict[str, Any]]:
        for account in accounts:
            try:
                for row in _rows(account, job, written, accept=accept):
                    if row["action"] in ("reject", "withhold"):
                        codes.append(ExitCode.PARTIAL)
                    if row["action"] == "withhold":
                        withheld[account.name] = row["new_value"]
                    yield row
            except RepoledgerError as error:
                codes.append(exit_code_of(error))
                failures.append(f"account {account.name}: {error}")

    # A table needs all of its rows anyway; only then is it known whether anything failed.
    shown = list(rows()) if fmt is Format.table else rows()
    output.print_rows(
        shown,
        fmt,
        columns=_COLUMNS,
        table_columns=_COLUMNS[1:2] + _COLUMNS[3:],
        empty="nothing to show" if failures else "nothing would change",
    )
    for name, why in withheld.items() if fmt is Format.table else ():
        output.say(f"{name}: withheld: {why}")  # the table may have no room for it
    for failure in failures:
        output.print_error(failure)
    return worst(codes)


def _rows(
    account: Account, job: Job, written: Written, *, accept: bool
) -> Iterator[dict[str, Any]]:
    from sync.preview import open_reader, preview_sync

    config = job.config
    names = [other.name for other in config.accounts]
    with (
        job.client(account) as client,
        open_reader(config.database.url, account.name, client.host, names, written) as reader,
    ):
        until = reader.account_row().get("not_before") if reader else None
        job.respect_deferral(account, client, until)
        previews = preview_sync(
            client=client,
            reader=reader,
            visibility=account.visibility,
            affiliation=account.affiliation,
            removals=config.removals,
            accept_removals=accept,
        )
        for preview in previews:
            for change in preview.changes:
                yield {
                    "account": account.name,
                    "repository": preview.full_name,
                    "id": preview.id,
                    "action": preview.action,
                    **change._asdict(),
                }
