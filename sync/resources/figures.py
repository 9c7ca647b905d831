"""The description of a resource without items of its own: figures of a repository by the day.

Its answers become rows by a pure function. No I/O, no SQL, no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.inspect import DateType

from sync.resources.columns import Column, columns_of
from sync.resources.resource import Due, Endpoint

Memory = Mapping[str, Any]  # what an answer leaves for the next one, as JSON


class Merge(Enum):
    """How a row that was told meets the stored one."""

    LARGER = "larger"  # each value is the larger of both
    LATEST = "latest"  # the row told last; a row of zeros is no row
    SET = "set"  # a whole set, for each day on which it changed


@dataclass(frozen=True, kw_only=True, eq=False)  # compared by identity
class RowTable:
    """A table of rows of a repository: `key`, then the other fields of `record`.

    `private`: columns that are not shown once the repository is private; rows go with them if
    they are required. `stamps`: columns with the times of the first writing and of the last
    change. Of a set, the first column of the key is its day, and with `gone_as_zero` a member
    that is gone is a row with zeros on that day.
    """

    name: str
    record: type[Struct]
    key: tuple[str, ...]
    merge: Merge
    private: tuple[str, ...]
    stamps: tuple[str, ...] = ()
    gone_as_zero: bool = False

    @cached_property
    def columns(self) -> dict[str, Column]:
        """The columns of the record, by name."""
        return {each.name: each for each in columns_of(self.record)}

    @property
    def day(self) -> str:
        """The column of the key that is a day."""
        return next(name for name in self.key if isinstance(self.columns[name].kind, DateType))

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The columns beside the key."""
        return tuple(name for name in self.columns if name not in self.key)


class Asked(NamedTuple):
    """What is known of a repository when an answer about it is read.

    `id`: the repository's. The answer was made between `now` and `until` (UTC), by the server's
    clock if it tells it. `listed`: fields of the repository, by name. `memory`: what the last
    answer left. `lost_at`: when figures not read since are gone. `newest`: the newest day that
    any repository of the account had in this run, by part, when the request was sent.
    """

    id: int
    now: datetime
    until: datetime
    listed: Mapping[str, Any]
    memory: Memory
    lost_at: datetime | None
    newest: Mapping[str, date]


class Answer(NamedTuple):
    """The answer of one endpoint: JSON, or None if it is the same as the last time."""

    part: str
    body: bytes | None
    next_url: str | None = None


class Oddity(NamedTuple):
    """A part of an answer that is set aside, with the reason and its JSON text."""

    reason: str
    payload: str | None


class Told(NamedTuple):
    """What an answer says.

    `memory`: for the next answer; its `idle` counts answers in a row that held nothing, its
    `next` is the address of a page that is still to be read, its `unproven` has the parts that
    held nothing while no other answer had shown a day. `newest`: the newest day, by part.
    `lost`: days whose figures are gone. `lost_at`: when the next figures will be gone.
    `counted`: the value of `Figures.counter`.
    """

    rows: Mapping[RowTable, Sequence[Struct]]
    memory: Memory
    newest: Mapping[str, date] = MappingProxyType({})
    lost: tuple[date, ...] = ()
    lost_at: datetime | None = None
    oddities: tuple[Oddity, ...] = ()
    counted: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)  # compared by identity
class Figures:
    """A resource whose answers are figures of a repository.

    `read` returns what answers say; it raises ValueError (or msgspec's) for one of another
    shape. `needs`: the permission that a fine-grained token needs. `total`: a column whose sum
    `settle` compares with the listing when the answer is stored, and returns the memory.
    `counter`: the column of `repository_metrics` for a number that no listing tells.
    """

    name: str
    tables: tuple[RowTable, ...]
    due: Due
    endpoints: tuple[Endpoint, ...]
    needs: str
    read: Callable[[Sequence[Answer], Asked], Told]
    total: tuple[RowTable, str] | None = None
    settle: Callable[[Asked, Told, int], Memory] | None = None
    counter: str | None = None
