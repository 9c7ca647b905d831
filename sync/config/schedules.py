"""Checks that a jitter is shorter than the time between two runs, and has effect. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from sync.config.sections import Account, Schedule
from sync.config.values import zone_of

_SHORTEST = 60.0  # seconds, of any cron expression
_NO_EFFECT = (
    "has no effect, since this account is synced by `every`, and only `cron` has a jitter: "
    "remove it"
)
_LOOKED_AT = 400  # runs: a year of daily runs, and any pattern within a day


def jitter_problems(schedule: Schedule, accounts: Iterable[Account]) -> Iterator[tuple[str, str]]:
    """Yield the keys with a wrong jitter, and the problem of each.

    A jitter longer than the time between two runs would drop runs: the late run takes the
    place of the next one. A jitter of an account without `cron` has no effect.
    """
    if problem := _problem(schedule.cron, schedule.timezone, schedule.jitter):
        yield "schedule.jitter", problem
    for index, account in enumerate(accounts):
        own = account.cron is not None or account.every is not None
        if not own and account.jitter is None:
            continue  # reported for the schedule
        if account.jitter and (account.every if own else schedule.every):
            yield f"accounts[{index}].jitter", _NO_EFFECT
        cron = account.cron if own else schedule.cron
        jitter = schedule.jitter if account.jitter is None else account.jitter
        if problem := _problem(cron, account.timezone or schedule.timezone, jitter):
            yield f"accounts[{index}].{'cron' if account.jitter is None else 'jitter'}", problem


def _problem(cron: str | None, timezone: str, jitter: float) -> str | None:
    if cron is None or jitter <= _SHORTEST:
        return None
    shortest = _shortest_gap(cron, timezone)
    if jitter <= shortest.total_seconds():
        return None
    return (
        f"a jitter of {timedelta(seconds=jitter)} is longer than the {shortest} between two runs "
        f'of "{cron}", and would drop some of them'
    )


def _shortest_gap(cron: str, timezone: str) -> timedelta:
    from cronsim import CronSim  # not for every command

    times = CronSim(cron, datetime(2024, 1, 1, tzinfo=zone_of(timezone)))
    moments = (moment.astimezone(UTC) for moment in islice(times, _LOOKED_AT))
    gaps = [later - earlier for earlier, later in pairwise(moments) if later > earlier]
    return min(gaps, default=timedelta.max)
