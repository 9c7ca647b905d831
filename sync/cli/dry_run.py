"""What `backfill --dry-run` prints: the difference that a run would make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sync.cli import output
from sync.cli.output import Format
from sync.cli.settings import ExitCode, exit_code_of, worst
from sync.errors import RepoledgerError

if TYPE_CHECKING:
    from sync.config import Account
    from sync.github.client import GitHubClient

_COLUMNS = ("account", "repository", "id", "action", "field", "old_value", "new_value")


def preview(
    accounts: Sequence[Account],
    client_of: Callable[[Account], GitHubClient],
    url: str,
    fmt: Format,
) -> ExitCode:
    """Print the difference for each account; one that fails does not stop the others."""
    codes: list[ExitCode] = []
    failures: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for account in accounts:
            try:
                for row in _rows(account, client_of, url):
                    if row["action"] == "reject":
                        codes.append(ExitCode.PARTIAL)
                    yield row
            except RepoledgerError as error:
                codes.append(exit_code_of(error))
                failures.append(f"account {account.name}: {error}")

    output.print_rows(
        rows(),
        fmt,
        columns=_COLUMNS,
        table_columns=_COLUMNS[1:2] + _COLUMNS[3:],
        empty="nothing would change",
    )
    for failure in failures:
        output.print_error(failure)
    return worst(codes)


def _rows(
    account: Account, client_of: Callable[[Account], GitHubClient], url: str
) -> Iterator[dict[str, Any]]:
    from sync.preview import open_reader, preview_sync

    with (
        client_of(account) as client,
        open_reader(url, account.name, client.host) as reader,
    ):
        previews = preview_sync(
            client=client,
            reader=reader,
            visibility=account.visibility,
            affiliation=account.affiliation,
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
