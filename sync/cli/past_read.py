"""Reads what `history` shows from a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sync.cli.counters import ALL_SHOWN, COLUMNS, SHOWN, VIEWS, Counter, together
from sync.cli.hosts import is_glob, repository_at
from sync.cli.past import Past, of_all, of_one, of_several, require_summable
from sync.cli.repository_filters import Wanted
from sync.core.errors import NoSuchRepository

if TYPE_CHECKING:
    from sync.database.queries import Ledger

MOST = 20  # repositories that are compared


class Asked(NamedTuple):
    """The options of a request for the past. `counter`: None for a table of several."""

    names: Sequence[str]
    wanted: Wanted
    counter: Counter | None
    span: tuple[date, date]
    is_default_span: bool

    @property
    def is_of_one(self) -> bool:
        return len(self.names) == 1 and not is_glob(self.names[0]) and not self.wanted.is_filter


def of_repository(
    ledger: Ledger, asked: Asked, default: Callable[[date], tuple[date, date]]
) -> Past:
    """Return the past of the one repository that is named."""
    name = repository_at(asked.wanted.host, asked.names[0])
    span, removed = asked.span, ledger.removed_on(name)
    if asked.is_default_span and removed is not None:
        span = default(removed)
    rows = _rows(ledger, name, asked.counter, span)
    return of_one(ledger.full_name(name), rows, asked.counter)


def compared(ledger: Ledger, asked: Asked) -> Past:
    """Return the past of several repositories, side by side."""
    names = _selected(ledger, asked)
    if len(names) == 1 and asked.counter is None:
        return of_one(names[0], _rows(ledger, names[0], None, asked.span), None)
    counter = asked.counter or Counter.stars
    rows = {name: _rows(ledger, name, counter, asked.span, plain=True) for name in names}
    return of_several(rows, counter)


def _selected(ledger: Ledger, asked: Asked) -> list[str]:
    """Return the names of the repositories that are meant. Raises NoSuchRepository."""
    wanted, host = asked.wanted, asked.wanted.host
    several = len(ledger.hosts()) > 1
    column = COLUMNS.get(asked.counter or Counter.stars, COLUMNS[Counter.stars])
    _require_called(ledger, asked)

    def found(*patterns: str) -> list[str]:
        rows = ledger.repos(
            names=patterns, sort=column, descending=True, limit=MOST + 1, **wanted.options
        )
        return [
            f"{row['host']}/{row['full_name']}" if several else row["full_name"] for row in rows
        ]

    if wanted.is_filter:
        names = found(*asked.names)
    else:
        names = []
        for name in asked.names:
            if is_glob(name):
                names += found(name)
            else:
                names.append(ledger.full_name(repository_at(host, name)))
    names = list(dict.fromkeys(names))
    if not names:
        raise NoSuchRepository(wanted.unknown_word(ledger) or "no repository is like that")
    if len(names) > MOST:
        raise click.UsageError(
            f"these are more than {MOST} repositories, too many to compare: name fewer, or add "
            "--total for their sum"
        )
    return names


def _require_called(ledger: Ledger, asked: Asked, *, former: bool = True) -> None:
    """Raise NoSuchRepository for a name or pattern that no repository has."""
    names = asked.names
    if former and not asked.wanted.is_filter:  # other names are looked up, former ones too
        names = [name for name in names if is_glob(name)]
    for name, near, is_elsewhere in ledger.unmatched(names, removed=asked.wanted.removed):
        advice = f"; did you mean {' or '.join(near)}?" if near else ""
        if is_elsewhere:
            advice = "; it is not removed" if asked.wanted.removed else "; it is removed"
        raise NoSuchRepository(f"no repository is called {name}{advice}")


def summed(ledger: Ledger, asked: Asked) -> Past:
    """Return the sum of a counter over repositories."""
    from sync.database.repository_lists import filter_of
    from sync.database.totals import Summed, totals_in

    counter = asked.counter or Counter.stars
    options = {**asked.wanted.options}
    account = options.pop("account")
    _require_called(ledger, asked, former=False)
    wanted = filter_of(ledger, names=asked.names, **options)
    today = datetime.now(UTC).date()
    totals = totals_in(
        ledger.rows,
        ledger.dialect,
        Summed(wanted, account),
        require_summable(counter),
        asked.span,
        today,
    )
    if not totals and (unknown := asked.wanted.unknown_word(ledger)):
        raise NoSuchRepository(unknown)
    return of_all(_subject(asked), totals, counter)


def _subject(asked: Asked) -> str:
    """Return what is summed, in a word: the owner, the account, the patterns."""
    options = asked.wanted.options
    words = [options[name] for name in ("owner", "account", "language", "topic") if options[name]]
    return ", ".join((*words, *asked.names))[:60]


def _rows(
    ledger: Ledger,
    name: str,
    counter: Counter | None,
    span: tuple[date, date],
    *,
    plain: bool = False,
) -> list[Mapping[str, Any]]:
    """Return a row for each day of which the ledger tells something, or that it is unknown.

    With `plain`, without what GitHub tells of days before the first sync.
    """
    since, until = span
    own: list[Mapping[str, Any]] = []
    if counter is None or counter in COLUMNS:
        own = list(ledger.history(name, since=since, until=until))
    if counter is None or counter not in VIEWS or (plain and counter in COLUMNS):
        shown = ALL_SHOWN if counter is None else SHOWN[counter]
        return [{"day": row["day"], **{c: row.get(c) for c in shown}} for row in own]
    told = ledger.figures(name, VIEWS[counter], since=since, until=until)
    return list(together(own, list(told), tuple(SHOWN[counter])))
