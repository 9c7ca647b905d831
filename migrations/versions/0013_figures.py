"""Views of figures by the day: traffic, stars and downloads; a day that is not known is NULL.

And the days in a row on which downloads were read: between them nobody looked.
"""

# ruff: noqa: S608  # all words in the queries are our own

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

from sync.core.errors import DatabaseUnusable
from sync.database.migration_steps import add_table, key, reference

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OWNER = ("host", "repository_id", "full_name", "day")
COLUMNS = {
    "traffic_daily": ("views", "view_uniques", "clones", "clone_uniques"),
    "star_totals": ("gained", "retained"),
    "downloads_daily": ("downloads", "total"),
}


def upgrade() -> None:
    add_table(
        "download_readings",
        *key("repository_id"),
        sa.Column("first_day", sa.Date(), primary_key=True),
        sa.Column("last_day", sa.Date(), nullable=False),
        reference("repositories", "repository_id"),
        sqlite_with_rowid=False,
    )
    words = WORDS.get(op.get_bind().dialect.name, MYSQL)
    _add_view("traffic_daily", traffic(words))
    _add_view("star_totals", stars(words))
    _add_view("downloads_daily", downloads(words))


def _add_view(name: str, query: str) -> None:
    inspector = sa.inspect(op.get_bind())
    views = inspector.get_view_names()
    if name not in (*views, *inspector.get_table_names()):
        op.execute(f"CREATE VIEW {name} AS {query}")
        return
    found = tuple(column["name"] for column in inspector.get_columns(name))
    # MySQL commits each view, so a repeated migration finds some of them.
    if name not in views or found != (*OWNER, *COLUMNS[name]):
        raise DatabaseUnusable(
            f"the table or view {name} is not repoledger's, which needs that name: rename it"
        )


class Words(NamedTuple):
    """How a database says it; in braces is what it is said of."""

    date: str  # that a text is a date
    integer: str
    today: str
    day_of_time: str
    difference: str  # in days
    day_after: str
    least: str
    greatest: str
    begin: str  # of a query that has `numbers`
    numbers: str  # after rows `s`: the numbers from 0 to `s.days` - 1
    number: str
    later: str  # a reading `w` of at most 13 days after the day of `q`, which covers it

    def plus(self, day: str, days: str | int) -> str:
        return self.day_after.format(day, days)

    def days_from(self, first: str, last: str) -> str:
        """Return the number of days from `first` to `last`, both included."""
        return f"{self.difference.format(last, first)} + 1"

    def first_of(self, *days: str) -> str:
        return f"{self.least}({', '.join(self._or(day, FAR) for day in days)})"

    def last_of(self, *days: str) -> str:
        """Return the last of some days, or today: a later day was written by a wrong clock."""
        last = f"{self.greatest}({', '.join(self._or(day, NEVER) for day in days)})"
        return f"{self.least}({self.today}, {last})"

    def _or(self, day: str, otherwise: str) -> str:
        return f"coalesce({day}, {self.date.format(otherwise)})"

    def each_day(self, spans: str, *columns: str) -> str:
        """Return a query for each day of `spans`, rows with `first_day` and number of `days`."""
        return f"""
            {self.begin}
            SELECT s.host, s.repository_id, s.full_name,
                {", ".join((f"{self.plus('s.first_day', self.number)} AS day", *columns))}
            FROM ({spans}) AS s
            {self.numbers}
        """


# Digits, in this order, so that no more numbers are made than there are days: MySQL ends a
# recursion after 1,000 steps, and SQLite has no series of which a row says how long it is.
DIGITS = """
    WITH digits(n) AS (
        SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8
        UNION ALL SELECT 9
    )
"""
BY_DIGITS = """
    {0} digits AS e ON 10000 * e.n < s.days
    {0} digits AS d ON 10000 * e.n + 1000 * d.n < s.days
    {0} digits AS c ON 10000 * e.n + 1000 * d.n + 100 * c.n < s.days
    {0} digits AS b ON 10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n < s.days
    {0} digits AS a ON 10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n + a.n < s.days
"""
LATER = """
    SELECT w.read_on FROM traffic_windows AS w
    WHERE {{mine}} AND w.read_on > q.day AND w.read_on <= {0} AND w.complete_until >= q.day LIMIT 1
"""
# MySQL finds a day by an index, but no span of days that begins with a day of another table.
LATER_BY_DAY = """
    SELECT w.read_on FROM (
        SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5
        UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
        UNION ALL SELECT 10 UNION ALL SELECT 11 UNION ALL SELECT 12 UNION ALL SELECT 13
    ) AS later
    STRAIGHT_JOIN traffic_windows AS w ON {mine} AND w.read_on = q.day + INTERVAL later.n DAY
    WHERE w.complete_until >= q.day LIMIT 1
"""
NUMBER = "(10000 * e.n + 1000 * d.n + 100 * c.n + 10 * b.n + a.n)"
NEVER, FAR = "'0001-01-01'", "'9999-12-31'"
MYSQL = Words(
    date="DATE {0}",
    integer="CAST({0} AS SIGNED)",
    today="utc_date()",
    day_of_time="date({0})",
    difference="datediff({0}, {1})",
    day_after="({0} + INTERVAL {1} DAY)",
    least="least",
    greatest="greatest",
    begin=DIGITS,
    numbers=BY_DIGITS.format("STRAIGHT_JOIN"),
    number=NUMBER,
    later=LATER_BY_DAY,
)
WORDS = {
    "sqlite": Words(
        date="{0}",
        integer="{0}",
        today="date('now')",
        day_of_time="substr({0}, 1, 10)",
        difference="CAST(julianday({0}) - julianday({1}) AS INTEGER)",
        day_after="date({0}, {1} || ' days')",
        least="min",
        greatest="max",
        begin=DIGITS,
        numbers=BY_DIGITS.format("CROSS JOIN"),  # which keeps the order
        number=NUMBER,
        later=LATER.format("date(q.day, '13 days')"),
    ),
    "postgresql": Words(
        date="DATE {0}",
        integer="CAST({0} AS BIGINT)",
        today="(now() AT TIME ZONE 'UTC')::date",
        day_of_time="({0} AT TIME ZONE 'UTC')::date",
        difference="({0} - {1})",
        day_after="({0} + {1})",
        least="least",
        greatest="greatest",
        begin="",
        numbers="CROSS JOIN LATERAL generate_series(0, s.days - 1) AS a(n)",
        number="a.n",
        later=LATER.format("q.day + 13"),
    ),
}


def traffic(words: Words) -> str:
    """Return the query of `traffic_daily`."""
    readings = (
        "(SELECT {0}(w.read_on) FROM traffic_windows AS w "
        "WHERE w.host = r.host AND w.repository_id = r.id AND w.kind = '{1}')"
    )
    rows = (
        "(SELECT min(t.day) FROM traffic_days AS t "
        "WHERE t.host = r.host AND t.repository_id = r.id AND t.kind = '{0}')"
    )
    kinds = ("views", "clones")
    begun = (words.plus(readings.format("min", kind), -13) for kind in kinds)
    first = words.first_of(*begun, *(rows.format(kind) for kind in kinds))
    last = words.last_of(*(readings.format("max", kind) for kind in kinds))
    # Each subquery reads one end of a primary key. DISTINCT has them read once for a repository,
    # not for each of its days.
    spans = f"""
        SELECT DISTINCT r.host, r.id AS repository_id, r.full_name,
            {first} AS first_day, {words.days_from(first, last)} AS days
        FROM repositories AS r
    """
    known = "CASE WHEN {0}_reading.read_on IS NOT NULL THEN coalesce({0}.{1}, 0) END AS {2}"
    return f"""
        SELECT q.host, q.repository_id, q.full_name, q.day,
            {known.format("views", "count", "views")},
            {known.format("views", "uniques", "view_uniques")},
            {known.format("clones", "count", "clones")},
            {known.format("clones", "uniques", "clone_uniques")}
        FROM ({words.each_day(spans)}) AS q
        {"".join(_told(words, kind) for kind in kinds)}
    """


def _told(words: Words, kind: str) -> str:
    """Return joins of a day's figures, and of a reading after that day that covers it."""
    mine = "{0}.host = q.host AND {0}.repository_id = q.repository_id AND {0}.kind = '{1}'"
    later = words.later.format(mine=mine.format("w", kind))
    return f"""
        LEFT JOIN traffic_days AS {kind} ON {mine.format(kind, kind)} AND {kind}.day = q.day
        LEFT JOIN traffic_windows AS {kind}_reading
            ON {mine.format(f"{kind}_reading", kind)} AND {kind}_reading.read_on = ({later})
    """


def stars(words: Words) -> str:
    """Return the query of `star_totals`."""
    told = "FROM resource_states AS t WHERE t.host = r.host AND t.repository_id = r.id"
    read = f"(SELECT max({{0}}) {told} AND t.resource = 'stars')"
    # The newest weeks come first: until the oldest have been read, the sum is not known.
    whole = read.format("CASE WHEN t.cursor LIKE '%\"whole_at\"%' THEN 1 ELSE 0 END")
    good = read.format("CASE WHEN t.status = 'complete' THEN t.checked_at ELSE t.changed_at END")
    last = words.last_of("h.day", words.day_of_time.format(good))
    end = words.plus(last, 1)
    window = "PARTITION BY r.host, r.id, r.full_name ORDER BY h.day"
    following = f"coalesce(lead(h.day) OVER ({window}), {end})"
    spans = f"""
        SELECT r.host, r.id AS repository_id, r.full_name, h.day AS first_day, h.stars,
            {words.integer.format(f"sum(h.stars) OVER ({window})")} AS total,
            coalesce({whole}, 1) AS whole, {words.difference.format(following, "h.day")} AS days
        FROM star_history AS h
        JOIN repositories AS r ON r.host = h.host AND r.id = h.repository_id
        WHERE h.day <= {words.today}
    """
    return words.each_day(
        spans,
        f"CASE WHEN {words.number} = 0 THEN s.stars ELSE 0 END AS gained",
        "CASE WHEN s.whole = 1 THEN s.total END AS retained",
    )


def downloads(words: Words) -> str:
    """Return the query of `downloads_daily`."""
    more = f"""
        SELECT r.host, r.id AS repository_id, r.full_name, c.day,
            c.download_count - coalesce(lag(c.download_count) OVER (
                PARTITION BY r.host, r.id, r.full_name, a.id ORDER BY c.day
            ), 0) AS gained
        FROM repositories AS r
        JOIN release_assets AS a ON a.host = r.host AND a.repository_id = r.id
        JOIN asset_downloads AS c ON c.host = a.host AND c.asset_id = a.id
        WHERE c.day <= {words.today}
    """
    mine = "t.host = {0}.host AND t.repository_id = {0}.repository_id"
    last = f"(SELECT max(t.last_day) FROM download_readings AS t WHERE {mine.format('m')})"
    end = words.plus(words.last_of("m.day", last), 1)
    owner = "m.host, m.repository_id, m.full_name"
    window = f"PARTITION BY {owner} ORDER BY m.day"
    following = f"coalesce(lead(m.day) OVER ({window}), {end})"
    total = words.integer.format(f"sum(m.gained) OVER ({window})")
    ends = f"""
        SELECT {owner}, m.day AS first_day, {total} AS total,
            {words.difference.format(following, "m.day")} AS days
        FROM ({more}) AS m
    """
    # Of several rows of a day the last one alone has days: the next row's day is later.
    before = (
        "lag(e.total) OVER (PARTITION BY e.host, e.repository_id, e.full_name ORDER BY e.first_day)"
    )
    spans = (
        f"SELECT e.*, e.total - coalesce({before}, 0) AS gained FROM ({ends}) AS e WHERE e.days > 0"
    )
    days = words.each_day(
        spans, f"CASE WHEN {words.number} = 0 THEN s.gained ELSE 0 END AS gained", "s.total"
    )
    # A difference is that of one day only if it and the day before were read.
    return f"""
        SELECT q.host, q.repository_id, q.full_name, q.day,
            CASE WHEN EXISTS (
                SELECT 1 FROM download_readings AS t
                WHERE {mine.format("q")} AND t.first_day < q.day AND t.last_day >= q.day
            ) THEN q.gained END AS downloads,
            q.total
        FROM ({days}) AS q
    """
