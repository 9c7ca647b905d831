"""The page of the demo about its ledger: the week, growth, and what GitHub has forgotten."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sync.cli import output
from sync.cli.counters import COLUMNS, Counter

if TYPE_CHECKING:
    from sync.cli.past import Past
    from sync.cli.settings import Settings
    from sync.database.queries import Ledger

STAR = "ada/gravel"  # the repository of which most is told
_WEEK = timedelta(days=7)
_WIDEST = 80
_PLOT_HEIGHT = 6

_GROWTH = "--since 30d --sort gained --columns full_name,stars,gained,views,downloads"
_BUSIEST = """
    SELECT day, views, view_uniques FROM traffic_daily WHERE full_name = '{name}'
    ORDER BY views DESC LIMIT 1"""
_REFERRER = """
    SELECT referrer FROM traffic_referrers AS t
    JOIN current_repositories AS r ON r.host = t.host AND r.id = t.repository_id
    WHERE r.full_name = '{name}' ORDER BY t.count DESC LIMIT 1"""
_DOWNLOADS = """
    SELECT max(total) - min(total) FROM downloads_daily WHERE full_name = '{name}'"""
_FIRST_STARS = """
    SELECT min(day), (SELECT max(retained) FROM star_totals
        WHERE full_name = '{name}' AND day < '{before}')
    FROM star_totals WHERE full_name = '{name}' AND gained > 0"""


def width() -> int:
    """Return the columns that texts may have: those of the terminal, at most 80."""
    return max(min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST), 40)


def say(text: str) -> None:
    """Print a paragraph, folded at the width of the terminal."""
    for line in textwrap.wrap(text, width(), break_on_hyphens=False, break_long_words=False):
        output.say(line)


def star_days(ledger: Ledger, today: date, days: int) -> list[tuple[date, int]]:
    """Return the stars of the demo's best-known repository on its days."""
    since = today - timedelta(days=days - 1)
    rows = ledger.history(STAR, since=since, until=today)
    return [(row["day"], row[COLUMNS[Counter.stars]]) for row in rows]


def star_chart(days: Sequence[tuple[date, int]]) -> str:
    """Return an SVG of the stars of that repository, as `repoledger history` draws it."""
    from sync.charts import svg

    return svg.drawn(_stars(days).picture())


def _stars(days: Sequence[tuple[date, int]]) -> Past:
    from sync.cli.past import of_one

    rows = [{"day": day, COLUMNS[Counter.stars]: stars} for day, stars in days]
    return of_one(STAR, rows, Counter.stars)


def show(ledger: Ledger, settings: Settings, today: date, days: Sequence[tuple[date, int]]) -> None:
    """Print what a person would want to see of the demo's ledger; `settings` lead to it."""
    heading("This week")
    _show_week(ledger, today)
    heading("Growth: stars of 30 days, views of 14, downloads in all")
    _show_growth(settings)
    _show_stars(days)
    heading("What GitHub no longer tells")
    _show_forgotten(ledger, days)


def heading(text: str) -> None:
    """Print a heading between blank lines."""
    from sync.cli.screen import screen

    print(f"\n{screen().painted(text, 'bold')}\n")


def _show_week(ledger: Ledger, today: date) -> None:
    """Print what `repoledger changes --since 7d` does, without a pager."""
    from sync.cli.event_lines import event_lines
    from sync.cli.screen import screen
    from sync.events.read import Period, Wish, events_in, sums_over

    wish = Wish(period=Period(since=datetime.combine(today - _WEEK, time(), UTC)))
    sums, rests = sums_over(ledger, wish, today)
    for line in event_lines(events_in(ledger, wish), sums, rests, today, screen()):
        print(line)


def _show_growth(settings: Settings) -> None:
    from sync.cli.repos import repos

    repos.main(_GROWTH.split(), obj=settings, standalone_mode=False)


def _show_stars(days: Sequence[tuple[date, int]]) -> None:
    from sync.cli.plot import plotted

    past = _stars(days)
    (steps,) = past.drawn.values()
    plain = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    print()
    for line in plotted(past.title, steps, width=width(), height=_PLOT_HEIGHT, plain=plain):
        print(line)


def _show_forgotten(ledger: Ledger, days: Sequence[tuple[date, int]]) -> None:
    def ask(sql: str) -> Sequence[Any]:
        with ledger.query(sql.format(name=STAR, before=days[0][0])) as (_, rows):
            return next(iter(rows))

    day, views, visitors = ask(_BUSIEST)
    (site,) = ask(_REFERRER)
    (downloads,) = ask(_DOWNLOADS)
    begin, before = ask(_FIRST_STARS)
    say(
        f"Traffic, after 14 days: {STAR} had {views:,} views by {visitors:,} people on "
        f"{_date(day):%d %B}, most of them from {site}."
    )
    say(f"Downloads by the day: {downloads:,} of its releases in these {len(days)} days.")
    say(
        f"Names and owners: {STAR.partition('/')[0]}/paper-lantern leads to its history as "
        "lantern-ui, and deleted repositories keep theirs."
    )
    say(
        f"And what it tells of the time before the first sync is kept too: {before:,} stars "
        f"since {_date(begin):%B %Y}."
    )


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
