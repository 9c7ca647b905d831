"""Traffic of a repository: views and clones by day, which GitHub forgets after 14 days.

The window is 14 times 24 hours before the request: the oldest day is cut, today's is partial.
Days without any are left out, and so are days that GitHub has not counted yet.
https://docs.github.com/rest/metrics/traffic
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from msgspec import Raw, Struct

from sync.resources.fields import Addend, Moment, Word
from sync.resources.figures import Answer, Asked, Figures, Merge, Oddity, RowTable, Told
from sync.resources.resource import Due, Endpoint

_DAY = timedelta(days=1)
_KEPT = timedelta(days=14)  # at GitHub
_RECENT = timedelta(days=3)
WHOLE_DAYS = 13  # before today, which are never cut


class TrafficDay(Struct, frozen=True, kw_only=True):
    """Views or clones of a day, as far as GitHub has told them."""

    kind: Word
    day: date
    count: Addend
    uniques: Addend


class TrafficWindow(Struct, frozen=True, kw_only=True):
    """A reading of the last 14 days, the last one of its day.

    `count`, `uniques`: of the 14 days, as told; visitors of several days are counted once.
    `newest_day`: the newest day in the answer. `complete_until`: from 13 days before `read_on`
    until this day the answer is complete: a day that it leaves out had none. Of a list (kinds
    `referrers` and `paths`), `newest_day` is the day of the stored set that held on `read_on`.
    """

    kind: Word
    read_on: date
    count: Addend | None = None
    uniques: Addend | None = None
    newest_day: date | None = None
    complete_until: date | None = None
    read_at: datetime


TRAFFIC_DAYS = RowTable(
    name="traffic_days",
    record=TrafficDay,
    key=("kind", "day"),
    merge=Merge.LARGER,
    stamps=("first_seen_at", "changed_at"),
    private=(),
)
TRAFFIC_WINDOWS = RowTable(
    name="traffic_windows",
    record=TrafficWindow,
    key=("kind", "read_on"),
    merge=Merge.LATEST,
    private=(),
)


class _Bucket(Struct):
    timestamp: Moment
    count: Addend
    uniques: Addend


class _Views(Struct):
    count: Addend
    uniques: Addend
    days: list[Raw] = msgspec.field(name="views")


class _Clones(Struct):
    count: Addend
    uniques: Addend
    days: list[Raw] = msgspec.field(name="clones")


_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "views": msgspec.json.Decoder(_Views),
    "clones": msgspec.json.Decoder(_Clones),
}
_bucket = msgspec.json.Decoder(_Bucket)


def _read(answers: Sequence[Answer], asked: Asked) -> Told:
    """Return the days and windows in answers about views and clones."""
    days: list[TrafficDay] = []
    windows: list[TrafficWindow] = []
    oddities: list[Oddity] = []
    memory: dict[str, Any] = dict(asked.memory)
    newest: dict[str, date] = {}
    unproven: list[str] = []
    today = asked.now.date()
    for part, body, _ in answers:
        odd: list[Oddity] = []
        if body is not None:
            told = _DECODERS[part].decode(body)
            found, odd = _days(part, told.days, asked.until.date())
            days += found
            oddities += odd
            here = {each.day for each in found if each.count}  # a 0 may be of an outage
            before = _days_of(memory.get(part), memory.get(f"{part}_gone", ()))
            memory[f"{part}_gone"] = sorted(each.isoformat() for each in before - here)
            memory[part] = [told.count, told.uniques, *_packed(here)]
        count, uniques, text, _ = memory[part]
        last = date.fromisoformat(text) if text else None
        if last is not None:
            newest[part] = last
        elif part not in asked.newest:
            unproven.append(part)
        first = today - WHOLE_DAYS * _DAY
        gone = {each for each in _days_of(None, memory[f"{part}_gone"]) if each >= first}
        memory[f"{part}_gone"] = sorted(map(date.isoformat, gone))
        windows.append(
            TrafficWindow(
                kind=part,
                read_on=today,
                count=count,
                uniques=uniques,
                newest_day=last,
                complete_until=None if odd else _complete_until(part, last, gone, asked),
                read_at=asked.now,
            )
        )
    memory.pop("unproven", None)
    if unproven:
        memory["unproven"] = unproven
    had = {each.kind for each in windows if each.count or each.newest_day}
    is_again = any(part in asked.newest for part in asked.memory.get("unproven", ()))
    memory["idle"] = 0 if had else asked.memory.get("idle", 0) + (not is_again)
    memory["viewed"] = int("views" in had)
    return Told(
        {TRAFFIC_DAYS: days, TRAFFIC_WINDOWS: windows},
        memory,
        newest=newest,
        lost=tuple(_lost(asked.lost_at, today)),
        lost_at=lost_when(_unread(windows, today)),
        oddities=tuple(oddities),
    )


def _packed(days: Collection[date]) -> tuple[str | None, int]:
    """Return the newest of these days, and a number whose bit n tells of the nth day before."""
    last = max(days, default=None)
    if last is None:
        return None, 0
    ages = ((last - each).days for each in days)
    return last.isoformat(), sum(1 << age for age in ages if age <= _KEPT.days)


def _days_of(answer: Sequence[Any] | None, gone: Iterable[str]) -> set[date]:
    """Return the days that an answer held, from the memory, and those that were told before."""
    days = set(map(date.fromisoformat, gone))
    if answer is None or answer[2] is None:
        return days
    last = date.fromisoformat(answer[2])
    return days | {last - age * _DAY for age in range(_KEPT.days + 1) if answer[3] >> age & 1}


def lost_when(unfinished: date) -> datetime:
    """Return when GitHub begins to forget a day that is not read to its end."""
    return datetime.combine(unfinished, time(), UTC) + _KEPT


def _days(kind: str, buckets: Iterable[Raw], last: date) -> tuple[list[TrafficDay], list[Oddity]]:
    """Return the days of an answer, and those that cannot be right."""
    days, oddities = [], []
    for raw in buckets:
        try:
            bucket = _bucket.decode(raw)
            problem = _problem(bucket.timestamp, last)
        except (msgspec.DecodeError, OverflowError, ValueError) as error:
            problem = str(error)[:200]
        if problem is not None:
            oddities.append(Oddity(f"{kind}: {problem}", bytes(raw).decode("utf-8", "replace")))
            continue
        day = bucket.timestamp.astimezone(UTC).date()
        days.append(TrafficDay(kind=kind, day=day, count=bucket.count, uniques=bucket.uniques))
    return days, oddities


def _problem(moment: datetime, last: date) -> str | None:
    utc = moment.astimezone(UTC)
    if utc.time() != time():
        return f"{moment.isoformat()} is not the beginning of a day in UTC"
    return f"{utc.date()} is in the future" if utc.date() > last else None


def _complete_until(
    part: str, newest: date | None, gone: Collection[date], asked: Asked
) -> date | None:
    """Return the last day for which an answer leaves nothing out, or None.

    Whether GitHub has counted a day shows only where some repository has it: this one, or
    another that was answered before this one was requested. `gone`: days that were told before,
    and that this answer leaves out. Then only its own newest day shows how far it reaches, and
    nothing does if they are among its days. It has no proof either if it was made on one of
    two days.
    """
    is_odd = newest is not None and any(each < newest for each in gone)
    if is_odd or asked.until.date() != asked.now.date():
        return None
    others = None if gone else asked.newest.get(part)
    counted = [each for each in (newest, others) if each is not None]
    return min(max(counted), asked.now.date() - _DAY) if counted else None


def _unread(windows: Iterable[TrafficWindow], today: date) -> date:
    """Return the first day that is still to be read: today, or what is not proven before it.

    What was not proven for longer is no sign of anything: there may have been no visits.
    """
    ends = [each.complete_until for each in windows if each.complete_until is not None]
    return min((end + _DAY for end in ends if end >= today - _RECENT), default=today)


def _lost(lost_at: datetime | None, today: date) -> Iterator[date]:
    """Yield the days that were not read to their end and are no longer whole at GitHub."""
    day = today if lost_at is None else (lost_at - _KEPT).date()
    while day < today - WHOLE_DAYS * _DAY:
        yield day
        day += _DAY


TRAFFIC = Figures(
    name="traffic",
    tables=(TRAFFIC_DAYS, TRAFFIC_WINDOWS),
    due=Due(
        every=_DAY,
        idle_every=5 * _DAY,
        idle_after=2,
        lost_after=13 * _DAY,
        needs_push=True,
    ),
    endpoints=(
        Endpoint(part="views", path="/repositories/{id}/traffic/views", query="per=day"),
        Endpoint(part="clones", path="/repositories/{id}/traffic/clones", query="per=day"),
    ),
    needs="administration: read",
    read=_read,
)
