"""The description of a resource: how its records are read, stored and cleared.

No I/O, no SQL, no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cached_property
from typing import Any

from msgspec import Struct

from sync.resources.columns import Column, columns_of, values_reader


class Vanishing(Enum):
    """The treatment of a row whose item GitHub no longer lists."""

    MARK = "mark"  # the row gets `removed_at`
    KEEP = "keep"  # the row stays as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a resource of a repository is requested again.

    `every`: after this time; `idle_every`: if the last `idle_after` answers held nothing.
    `when_changed`: after a change of one of these fields, at most once in `at_most_every`.
    `lost_after`: the time after which something that was not read is gone. `needs_push`: only
    for a user who may push. `not_if_zero`: not while this field is 0 and nothing is stored.
    `active_by`: only while this number of another resource, `(name, number)`, is not 0.
    """

    every: timedelta | None = None
    idle_every: timedelta | None = None
    idle_after: int = 1
    when_changed: tuple[str, ...] = ()
    at_most_every: timedelta = timedelta(days=1)
    lost_after: timedelta | None = None
    needs_push: bool = False
    not_if_zero: str | None = None
    active_by: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A request about a repository, by its id. `part` names it among those of a resource.

    `paged`: the answer is a page of a list, with a link to the next one.
    """

    path: str
    part: str = ""
    query: str = ""
    paged: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)  # compared by identity
class Resource:
    """A resource that is synced, with a table of its own.

    `item`: the word for one item. `record`: the type of an item; each field that is not
    `unstored` is a column. `key`: columns that identify an item. `private`: columns cleared when
    the repository is redacted. `counters`: columns kept by the day in the table `metrics`, and
    not logged; so are the `daily` columns, which are no counters. Without `metrics`, only
    their last values are kept. `parent`: the resource whose items contain these, None for
    repositories. `endpoints`: where items are requested, one; without it they are in the field
    `within` of the parent's records. `needs`: the permission that a fine-grained token needs.
    `hidden_by`: the flag of items that GitHub does not show to every account. `withheld_by`: the
    flag of items that are never stored. `idle_without`: the resource within this one without
    whose items it is idle.
    """

    name: str
    item: str
    table: str
    record: type[Struct]
    private: tuple[str, ...]
    vanishing: Vanishing
    parent: Resource | None = None
    within: str | None = None
    hidden_by: str | None = None
    withheld_by: str | None = None
    key: tuple[str, ...] = ("id",)
    unstored: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    daily: tuple[str, ...] = ()
    metrics: str | None = None
    due: Due = Due()
    endpoints: tuple[Endpoint, ...] = ()
    needs: str = ""
    idle_without: str | None = None

    @property
    def item_id(self) -> str:
        """The name of other tables' column that refers to an item."""
        return f"{self.item}_id"

    @cached_property
    def parents(self) -> tuple[Resource, ...]:
        """The parent, its parent, and so on up to the repositories."""
        return () if self.parent is None else (self.parent, *self.parent.parents)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every column of the key and `fields`, by name."""
        left_out = self.unstored
        return {each.name: each for each in columns_of(self.record) if each.field not in left_out}

    @cached_property
    def content(self) -> tuple[str, ...]:
        """The columns beside key and counters; their changes are logged, except of `daily` ones."""
        return tuple(n for n in self.columns if n not in self.key and n not in self.counters)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The columns of an item beside its key: `content`, then `counters`."""
        return self.content + self.counters

    @cached_property
    def by_day(self) -> tuple[str, ...]:
        """The columns that are kept by the day."""
        return self.counters + self.daily

    @cached_property
    def values_of(self) -> Callable[[Any], tuple[Any, ...]]:
        """A function that returns the values of a record, in the order of `fields`."""
        return values_reader([self.columns[name] for name in self.fields])
