"""The ledger's clock, and the correction of rows dated in the future.

The clock never goes back, so that later rows of the change log and of counters are never
dated earlier, even if the machine's clock is set back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Table, and_, delete, exists, func, or_, select, update

from sync.core.clock import Clock
from sync.database.changelog import as_text
from sync.database.run_transaction import RunTransaction
from sync.database.tables import (
    BY_DAY,
    CHILDREN,
    COUNTED,
    ROWS,
    account_repositories,
    accounts,
    page_cache,
    rejected_items,
    repositories,
    repository_changes,
    repository_metrics,
    resource_changes,
    resource_states,
    sync_runs,
)
from sync.resources import READINGS
from sync.resources.figures import Merge
from sync.resources.traffic import TRAFFIC_WINDOWS

# Two machines that write to one ledger may differ by this much.
_TOLERANCE = timedelta(minutes=1)
# The largest number of future days with counters, beside those that passed since the last right
# run, that a wrong clock explains.
_JUMPS = 10
_RUNS = 10  # latest runs that are read: some may have ended before they wrote anything
_DATED = {
    repositories: ("first_seen_at", "changed_at", "removed_at"),
    account_repositories: ("first_seen_at", "gone_at"),
    repository_changes: ("observed_at",),
    rejected_items: ("first_seen_at", "last_seen_at"),
    sync_runs: ("finished_at",),
    accounts: ("last_synced_at",),
    page_cache: ("stored_at",),
    resource_states: ("checked_at", "changed_at"),
    resource_changes: ("observed_at",),
    **{
        table: tuple(n for n in ("first_seen_at", "changed_at", "removed_at") if n in table.c)
        for table in CHILDREN.values()
    },
    **{table: declared.stamps for declared, table in ROWS.items()},
}
# Tables whose rows hold until the owner's next day; with the columns of the owner and the day.
_BY_DAY: tuple[tuple[Table, tuple[str, ...], str], ...] = (
    *((table, (list(table.primary_key)[1].name,), "day") for table in COUNTED.values()),
    *(
        (table, ("repository_id",), declared.day)
        for declared, table in ROWS.items()
        if declared.merge is Merge.SET
    ),
    (ROWS[TRAFFIC_WINDOWS], ("repository_id", "kind"), TRAFFIC_WINDOWS.day),
)


class LedgerTime:
    """Returns the time of `clock`, or the latest time in the ledger if that is later."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the time for rows written now."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def go_on_from(self, connection: Connection) -> None:
        """Start from the latest time of a run or change in the ledger.

        Not from that of the last row: older versions could date a later row earlier, after a
        clock that was ahead.
        """
        run = sync_runs.c
        last = select(run.finished_at).order_by(run.id.desc()).limit(_RUNS).subquery()
        latest = (run.started_at, repository_changes.c.observed_at, last.c.finished_at)
        asked = (select(func.max(column)) for column in latest)
        times = [connection.execute(each).scalar() for each in asked]
        self._latest = max([self._latest, *(time for time in times if time)])

    def is_ahead(self) -> bool:
        """Return whether the ledger's time is ahead of the clock (set back, or wrong)."""
        return self._latest > self._clock() + _TOLERANCE

    def set_back(self, transaction: RunTransaction) -> datetime | None:
        """Date rows from the future as of now. The clock must be right.

        Returns None if nothing is done, because there are more such days than a clock can have
        been ahead.
        """
        now = self._clock()
        if _days_after(transaction, now) > _days_that_passed(transaction, now) + _JUMPS:
            return None
        self._latest = now
        for table, names in _DATED.items():
            for column in (table.c[name] for name in names):
                transaction.connection.execute(
                    update(table).where(column > now).values({column.name: now})
                )
        _set_removals_back(transaction, now)
        _set_runs_back(transaction, now)
        _set_days_back(transaction, now)
        for table, owner, day in _BY_DAY:
            _set_rows_back(transaction, table, owner, day, now.date())
        _set_readings_back(transaction, now.date())
        return now


def _set_runs_back(transaction: RunTransaction, now: datetime) -> None:
    """Move the start of runs into the second before now, each with its own microseconds.

    By these, `sync.database.copy` still recognises a copy of the ledger.
    """
    run, before = sync_runs.c, now.replace(microsecond=0) - timedelta(seconds=1)
    for id_, began in transaction.connection.execute(
        select(run.id, run.started_at).where(run.started_at > now)
    ).all():
        began = before.replace(microsecond=began.microsecond)
        transaction.connection.execute(
            update(sync_runs).where(run.id == id_).values(started_at=began)
        )


def _days_after(transaction: RunTransaction, now: datetime) -> int:
    """Return the number of future days with counters."""
    days = repository_metrics.c.day
    later = select(func.count(days.distinct())).where(days > now.date())
    return transaction.connection.execute(later).scalar_one()


def _days_that_passed(transaction: RunTransaction, now: datetime) -> int:
    """Return the days since the last run that is not dated in the future."""
    run = sync_runs.c
    first = select(func.min(run.id)).where(or_(run.started_at > now, run.finished_at > now))
    before = select(func.max(run.started_at)).where(
        run.id < func.coalesce(first.scalar_subquery(), transaction.run.id)
    )
    last = transaction.connection.execute(before).scalar_one()
    return (now - last).days + 1 if last else 0


def _set_removals_back(transaction: RunTransaction, now: datetime) -> None:
    """Correct future times of removals in the text of changes."""
    log, text = repository_changes.c, as_text(now)
    for column in (log.old_value, log.new_value):
        later = transaction.dialect.in_code_point_order(column) > text
        transaction.connection.execute(
            update(repository_changes)
            .where(log.field == "removed_at", later)
            .values({column.name: text})
        )


def _set_days_back(transaction: RunTransaction, now: datetime) -> None:
    """Move the counters of repositories of future days to today."""
    days, known = repository_metrics.c, repositories.c
    later = days.day > now.date()
    ahead = exists().where(days.host == known.host, days.repository_id == known.id, later)
    stored = select(known.host, known.id, *(known[name] for name in BY_DAY)).where(ahead)
    today = now.date()
    untold = select(days.host, days.repository_id, days.subscribers_count)
    untold = untold.where(later, days.subscribers_count.is_not(None)).order_by(days.day)
    subscribers = transaction.connection.execute(untold).all()
    transaction.log_day(
        (host, id_, today, *values)
        for host, id_, *values in transaction.connection.execute(stored).all()
    )
    for host, id_, count in subscribers:  # which no listing tells
        theirs = and_(days.host == host, days.repository_id == id_, days.day == today)
        transaction.connection.execute(
            update(repository_metrics).where(theirs).values(subscribers_count=count)
        )
    transaction.connection.execute(delete(repository_metrics).where(later))


def _set_rows_back(
    transaction: RunTransaction, table: Table, owner: Sequence[str], name: str, today: date
) -> None:
    """Replace today's rows of each owner in `table` by those of its last future day."""
    days, owners = table.c[name], [table.c.host, *(table.c[each] for each in owner)]
    last = select(*owners, func.max(days)).where(days > today).group_by(*owners)
    for *whose, day in transaction.connection.execute(last).all():
        theirs = and_(*(column == value for column, value in zip(owners, whose, strict=True)))
        transaction.connection.execute(delete(table).where(theirs, days >= today, days != day))
        transaction.connection.execute(
            update(table).where(theirs, days == day).values({name: today})
        )


def _set_readings_back(transaction: RunTransaction, today: date) -> None:
    """End the days on which something was read today."""
    for declared in READINGS.values():
        first, last = (ROWS[declared].c[name] for name in declared.columns)
        transaction.connection.execute(delete(ROWS[declared]).where(first > today))
        transaction.connection.execute(
            update(ROWS[declared]).where(last > today).values({last.name: today})
        )
