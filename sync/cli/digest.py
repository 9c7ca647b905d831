"""The command digest: what happened in a time, as one message."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import output
from sync.cli.formats import format_of
from sync.cli.output_files import as_stdout, replacing
from sync.cli.repository_filters import require_account, unknown_word
from sync.cli.scope_options import account_option, owner_option
from sync.cli.settings import Settings
from sync.cli.times import ACCEPTED, end_of, require_period, required_moment_of

if TYPE_CHECKING:
    from sync.config import Config
    from sync.database.queries import Ledger
    from sync.digest.digest import Digest


class DigestFormat(StrEnum):
    text = "text"
    markdown = "markdown"
    html = "html"
    json = "json"


_ENDINGS = {
    ".txt": DigestFormat.text,
    ".md": DigestFormat.markdown,
    ".html": DigestFormat.html,
    ".json": DigestFormat.json,
}


@click.command
@click.option("--since", metavar="WHEN", default="7d", help=f"Begin of the time: {ACCEPTED}.")
@click.option("--until", metavar="WHEN", help="End of the time; a day means its end. Default: now.")
@account_option
@owner_option
@click.option(
    "--format",
    "fmt",
    type=click.Choice(DigestFormat),
    help="Format of the digest. Default: that of FILE's name, or text.",
)
@click.option(
    *("-o", "--output", "file"),
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the digest to this file, in the format that its name ends with.",
)
@click.pass_obj
def digest(
    settings: Settings,
    since: str,
    until: str | None,
    account: str | None,
    owner: str | None,
    fmt: DigestFormat | None,
    file: Path | None,
) -> None:
    """Sum up what happened to the repositories: news, what they gained, and what needs you.

    Example: repoledger digest --since "last month" -o month.html
    """
    chosen = format_of(file, fmt, _ENDINGS, DigestFormat.text)
    begin = required_moment_of(since, "--since")
    end = end_of(until, "--until") or datetime.now(UTC)
    require_period(begin, end, since, until)
    config = settings.load()
    from sync.database.queries import Ledger
    from sync.digest.gather import digest_of

    with Ledger(config.database.url) as ledger:
        require_account(settings, ledger, account)
        made = digest_of(
            ledger,
            ledger.scope(account=account, owner=owner),
            begin,
            end,
            needs(config, ledger, datetime.now(UTC)),
        )
        if not made.repositories and (unknown := unknown_word(ledger, owner=owner)):
            output.print_warning(unknown)
    text = _written(made, chosen)
    if file is None:
        click.echo(text, nl=False)
        return
    with replacing(file) as stream, as_stdout(stream):
        click.echo(text, nl=False)


def needs(config: Config, ledger: Ledger, now: datetime) -> list[str]:
    """Return what of a ledger waits for a person, in sentences."""
    from sync.digest.needs import account_needs, resource_needs

    settings = {each.name: config.resources_of(each) for each in config.accounts}
    rows = [row for row in ledger.status(counted=False) if row["account"] in settings]
    found = ledger.resources(settings)
    pairs = [(each, settings[each.account][each.resource]) for each in found]
    return [*account_needs(rows, now), *resource_needs(pairs, now)]


def _written(made: Digest, fmt: DigestFormat) -> str:
    from sync.digest.html import as_html
    from sync.digest.text import as_markdown, as_text

    if fmt is DigestFormat.json:
        import msgspec

        return msgspec.json.format(msgspec.json.encode(made)).decode() + "\n"
    writers = {
        DigestFormat.text: as_text,
        DigestFormat.markdown: as_markdown,
        DigestFormat.html: as_html,
    }
    return writers[fmt](made)
