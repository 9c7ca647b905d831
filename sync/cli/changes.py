"""The command changes: what happened to the repositories, told as events."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from sync.cli import completion, output
from sync.cli.event_lines import event_lines
from sync.cli.hosts import host_columns, host_option, is_glob, repository_at
from sync.cli.output import limit_option
from sync.cli.repository_filters import require_account, unknown_word
from sync.cli.result import Result, result_options
from sync.cli.scope_options import account_option, owner_option
from sync.cli.screen import screen, show
from sync.cli.settings import Settings, open_ledger
from sync.cli.times import ACCEPTED, end_of, moment_of, require_period
from sync.config.structs import suggestion
from sync.core.redaction import printable
from sync.database.change_kinds import Kind
from sync.events.event import CHOICES, Event, wanted
from sync.events.words import sentence

if TYPE_CHECKING:
    from sync.database.queries import Ledger
    from sync.events.read import Wish

_ALL = "all"
_DAYS = 30
_MOVERS = 25  # repositories of each counter in a text, the others in sum
_LOG = ("observed_at", "full_name", "change", "field", "old_value", "new_value")
_EVENT = (
    *("observed_at", "since", "host", "repository_id", "full_name_then", "full_name"),
    *("kind", "summary", "fields", "run_id"),
)


@click.command
@click.argument(
    "repositories",
    metavar="[OWNER/NAME]...",
    nargs=-1,
    shell_complete=completion.repositories,
    help="Only these: present or former names, HOST/OWNER/NAME, addresses, or patterns such as "
    "'ada/*'.",
)
@click.option(
    "--since",
    metavar="WHEN",
    help=f"Only since then: {ACCEPTED}; or all. Default: {_DAYS}d; with --fields, all.",
)
@click.option("--until", metavar="WHEN", help="Only until then; a day means its end.")
@host_option
@account_option
@owner_option
@click.option(
    "--repository",
    metavar="OWNER/NAME",
    multiple=True,
    shell_complete=completion.repositories,
    help="Same as the argument OWNER/NAME. May be repeated.",
)
@click.option(
    *("--kind", "--change", "kinds"),
    metavar="KIND",
    multiple=True,
    shell_complete=completion.words_of(CHOICES),
    help=f"Only events of this kind: {', '.join(CHOICES)}. May be repeated.",
)
@click.option(
    *("--all", "everything"),
    is_flag=True,
    help="Also what is left out otherwise: pushes, updates, open issues, sizes, and each of many "
    f"repositories that gained something, not the first {_MOVERS} alone.",
)
@click.option(
    "--fields",
    is_flag=True,
    help="Show the rows of the change log as they are, one for each changed field.",
)
@click.option(
    "--field",
    metavar="NAME",
    multiple=True,
    shell_complete=completion.fields,
    help="Show the rows of the change log of this field, such as description. May be repeated.",
)
@limit_option
@result_options
@click.pass_obj
def changes(
    settings: Settings,
    repositories: Sequence[str],
    since: str | None,
    until: str | None,
    host: str | None,
    account: str | None,
    owner: str | None,
    repository: Sequence[str],
    kinds: Sequence[str],
    everything: bool,
    fields: bool,
    field: Sequence[str],
    limit: int | None,
    result: Result,
) -> None:
    """Show what happened to the repositories, newest first.

    Stars, forks and watchers are summed over the whole time.

    Example: repoledger changes --since "last week" --kind renamed --kind transferred
    """
    rows = fields or bool(field)
    begin = _begin(since, None if rows else _DAYS)
    end = end_of(until, "--until")
    require_period(begin, end, since or f"{_DAYS}d", until)
    _check_kinds(kinds)
    _check_fields(field)
    named = [*repositories, *repository]
    with open_ledger(settings) as ledger:
        require_account(settings, ledger, account)
        scope = ledger.scope(
            host=host,
            owner=owner,
            account=account,
            repositories=[repository_at(host, name) for name in named if not is_glob(name)],
            globs=[name for name in named if is_glob(name)],
        )
        with result.opened():
            if rows:
                log = ledger.changes(
                    since=begin,
                    until=end,
                    scope=scope,
                    fields=field,
                    kinds=_kinds_of_rows(kinds),
                    limit=limit,
                )
                _print_log(ledger, log, result)
                return
            from sync.events.read import Period, Wish

            wish = Wish(
                period=Period(since=begin, until=end),
                scope=scope,
                kinds=wanted(kinds, everything=everything),
            )
            if not _print_events(ledger, wish, limit, result, everything=everything):
                told = unknown_word(ledger, owner=owner) or _nothing(wish)
                print(printable(told), file=sys.stderr)


def _begin(since: str | None, days: int | None) -> datetime | None:
    if since is None:
        return None if days is None else datetime.now(UTC) - timedelta(days=days)
    return None if since.strip().lower() == _ALL else moment_of(since, "--since")


def _check_kinds(names: Sequence[str]) -> None:
    """Raise BadParameter for a kind that no event has."""
    for name in names:
        if name not in CHOICES:
            raise click.BadParameter(
                f"there is no kind {name!r}{suggestion(name, CHOICES)}", param_hint="--kind"
            )


def _check_fields(names: Sequence[str]) -> None:
    """Raise BadParameter for a field that the change log never has."""
    from sync.database.changelog import ACCOUNT, CREATED, REDACTED
    from sync.database.tables import CONTENT, COUNTERS

    known = (CREATED, REDACTED, ACCOUNT, *CONTENT, "removed_at", "removal_reason")
    for name in names:
        if name in COUNTERS:
            raise click.BadParameter(
                f"{name} is kept by the day: see `repoledger history OWNER/NAME`, or changes "
                "without --field",
                param_hint="--field",
            )
        if name not in known:
            raise click.BadParameter(
                f"there is no field {name!r}{suggestion(name, known)}", param_hint="--field"
            )


def _kinds_of_rows(kinds: Sequence[str]) -> list[Kind]:
    for kind in kinds:
        if kind not in list(Kind):
            raise click.BadParameter(
                f"rows of the change log have no kind {kind!r}; they have {', '.join(Kind)}",
                param_hint="--kind",
            )
    return [Kind(kind) for kind in kinds]


def _print_events(
    ledger: Ledger, wish: Wish, limit: int | None, result: Result, *, everything: bool
) -> bool:
    """Print events and sums; return whether there are any, or no one reads that there are none."""
    from sync.events.read import events_in, sums_over

    today = datetime.now(UTC).date()
    is_short = limit is None and result.is_table and not everything
    told_alone = _MOVERS if is_short else limit
    sums, rests = sums_over(ledger, wish, today, told_alone)
    events = events_in(ledger, wish)
    if limit is not None:
        shown = list(islice(events, limit))
        sums, events, rests = sums[: limit - len(shown)], iter(shown), []
    if not result.is_table:
        output.print_rows(map(_as_row, chain(events, sums)), result.format, columns=_EVENT)
        return True
    last = wish.period.days(today)[1]
    several = len(ledger.hosts()) > 1
    lines = event_lines(events, sums, rests, last, screen(), with_hosts=several)
    first = next(lines, None)
    if first is None:
        return False
    show(chain((first,), lines))
    return True


def _nothing(wish: Wish) -> str:
    since = wish.period.since
    whom = f" to repositories like {', '.join(wish.scope.globs)}" if wish.scope.globs else ""
    begin = f" since {since:%Y-%m-%d %H:%M} UTC; --since all shows everything" if since else ""
    return f"nothing happened{whom}{begin}"


def _as_row(event: Event) -> dict[str, Any]:
    fields = {name: {"old": old, "new": new} for name, (old, new) in event.fields.items()}
    told = {name: getattr(event, name, None) for name in _EVENT}
    return {**told, "summary": sentence(event), "fields": fields}


def _print_log(ledger: Ledger, rows: Iterator[Mapping[str, Any]], result: Result) -> None:
    output.print_rows(
        map(_without_document, rows) if result.is_table else rows,
        result.format,
        columns=(*_LOG, "host", "repository_id", "run_id"),
        table_columns=(*_LOG[:1], *host_columns(ledger.hosts()), *_LOG[1:]),
        empty="no changes",
    )


def _without_document(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a change without a value that is too long for a table: a whole repository."""
    whole = row["change"] in (Kind.created, Kind.redacted)
    return {**row, "new_value": None} if whole else row
