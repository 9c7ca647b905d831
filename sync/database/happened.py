"""The queries for what happened in a period: changes, sums of counters, releases."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, literal, null, or_, select

from sync.core.errors import QueryRefused
from sync.database.change_kinds import Kind
from sync.database.changelog import CREATED, REDACTED
from sync.database.dialects import Dialect
from sync.database.filters import of_kind
from sync.database.names import Key
from sync.database.tables import (
    CHILDREN,
    COUNTERS,
    account_repositories,
    repositories,
    repository_changes,
    repository_metrics,
)
from sync.database.text_match import is_text, matches_glob
from sync.resources.downloads import DOWNLOADS

_SUBSCRIBERS = "subscribers_count"
SUMMED = (*(name for name in COUNTERS if name != "watchers_count"), _SUBSCRIBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The repositories whose changes are shown; None is all.

    `host`: in the ledger's spelling. `owner`: who owns them or did. `account`: which lists them or
    did. `keys` and `globs`: one of these, or with a name, present or former, like one of the
    patterns. Raises QueryRefused for invalid text.
    """

    host: str | None = None
    owner: str | None = None
    account: str | None = None
    keys: Collection[Key] = ()
    globs: Collection[str] = ()

    def __post_init__(self) -> None:
        try:
            for text in (self.owner, self.account, *self.globs):
                (text or "").encode()
        except UnicodeEncodeError:  # the command line is not valid UTF-8
            raise QueryRefused("the given name or value is not valid text (UTF-8)") from None

    def conditions(self, dialect: Dialect) -> list[Any]:
        """Return the scope as SQL conditions on `repositories`."""
        table = repositories.c
        found: list[Any] = []
        if self.host is not None:
            found.append(dialect.is_common(table.host, self.host))
        if self.owner is not None:
            found.append(or_(is_text(table.owner_login, self.owner), _was(f"{self.owner}/*")))
        if self.account is not None:
            member = account_repositories.c
            listed = select(member.account).where(
                member.account == self.account,
                member.host == table.host,
                member.repository_id == table.id,
            )
            found.append(listed.exists())
        if self.keys or self.globs:
            named = (and_(table.host == host, table.id == id_) for host, id_ in self.keys)
            globs = (glob if "/" in glob else f"*/{glob}" for glob in self.globs)
            like = (or_(matches_glob(table.full_name, glob), _was(glob)) for glob in globs)
            found.append(or_(*named, *like))
        return found


def _was(glob: str) -> Any:
    """Return that a former full name of a repository is like a pattern."""
    log = repository_changes.alias("names").c
    former = select(log.id).where(
        log.host == repositories.c.host,
        log.repository_id == repositories.c.id,
        log.field == "full_name",
        matches_glob(log.old_value, glob),
    )
    return former.exists()


def changes_in(
    dialect: Dialect,
    scope: Scope,
    since: datetime | None,
    until: datetime | None,
    *,
    fields: Collection[str] = (),
    without: Collection[str] = (),
    kinds: Collection[Kind] = (),
    documents: bool = False,
) -> Select[Any]:
    """Return a query for the change log of a period, the newest first.

    Of all `fields` and `kinds` if none is given; `without` these fields. Without `documents`,
    those of whole repositories are null.
    """
    log, table = repository_changes.c, repositories.c
    whole = log.field.in_((CREATED, REDACTED))
    new = log.new_value if documents else case((whole, null()), else_=log.new_value)
    conditions = [*scope.conditions(dialect), *_between(log.observed_at, since, until)]
    if fields:
        conditions.append(log.field.in_(tuple(fields)))
    if without:
        conditions.append(log.field.not_in(tuple(without)))
    if kinds:
        conditions.append(or_(*map(of_kind, kinds)))
    return (
        select(
            *(log.observed_at, table.full_name, log.field, log.old_value, new.label("new_value")),
            *(log.host, log.repository_id, log.run_id, table.html_url),
        )
        .join_from(repository_changes, repositories, _its(log))
        .where(*conditions)
        .order_by(log.observed_at.desc(), log.id.desc())
    )


def renamed_after(until: datetime) -> Select[Any]:
    """Return a query for what repositories were called at a time, of those renamed since.

    The oldest change of each repository comes first.
    """
    log = repository_changes.c
    # A literal, not a parameter, so that the database can use the partial index.
    of_name = log.field == literal("full_name", literal_execute=True)
    return (
        select(log.host, log.repository_id, log.old_value)
        .where(of_name, log.observed_at > until, log.old_value.is_not(None))
        .order_by(log.observed_at, log.id)
    )


def sums_in(dialect: Dialect, scope: Scope, since: date, until: date) -> Select[Any]:
    """Return a query for the counters of repositories before and at the end of some days.

    A row for each repository whose counters changed in these days: `host`, `repository_id`, the
    first and the last day of a change, and SUMMED twice: at the end of the day before, or the
    first that are known; and at the end of the last day.
    """
    days = repository_metrics.c
    changed = (
        select(
            days.host,
            days.repository_id,
            func.min(days.day).label("first_day"),
            func.max(days.day).label("last_day"),
        )
        .where(days.day.between(since, until))
        .group_by(days.host, days.repository_id)
        .subquery("changed")
    )
    before = repository_metrics.alias("before").c
    base = (
        select(func.max(before.day))
        .where(before.host == changed.c.host, before.repository_id == changed.c.repository_id)
        .where(before.day < since)
        .scalar_subquery()
    )
    old, new = repository_metrics.alias("old"), repository_metrics.alias("new")
    statement = (
        select(*changed.c, *(old.c[name] for name in SUMMED), *(new.c[name] for name in SUMMED))
        .select_from(changed)
        .join(old, _day_of(old, changed, func.coalesce(base, changed.c.first_day)))
        .join(new, _day_of(new, changed, changed.c.last_day))
    )
    if conditions := scope.conditions(dialect):
        # Without a scope, no row of a repository is read, which is large.
        return statement.join(repositories, _its(changed.c)).where(*conditions)
    return statement


def names_of(host: str, ids: Collection[int]) -> Select[Any]:
    """Return a query for the id, name and address of the repositories with these ids at a host."""
    table = repositories.c
    return select(table.id, table.full_name, table.html_url).where(
        table.host == host, table.id.in_(tuple(ids))
    )


def _day_of(counted: Any, changed: Any, day: Any) -> Any:
    mine = counted.c.host == changed.c.host, counted.c.repository_id == changed.c.repository_id
    return and_(*mine, counted.c.day == day)


def releases_in(
    dialect: Dialect, scope: Scope, since: datetime | None, until: datetime | None, *, gone: bool
) -> Select[Any]:
    """Return a query for the releases published in a period, or `gone` in it, newest first.

    Drafts are left out, and releases that went with their repository.
    """
    release, table = CHILDREN[DOWNLOADS.name].c, repositories.c
    moment = release.removed_at if gone else release.published_at
    conditions = [
        *(moment.is_not(None), release.draft.is_(False)),
        *_between(moment, since, until),
        *scope.conditions(dialect),
    ]
    if gone:
        conditions.append(table.removed_at.is_(None))
    return (
        select(
            *(table.host, table.id.label("repository_id"), table.full_name, table.html_url),
            *(release.tag_name, release.name, release.prerelease),
            *(moment.label("happened_at"), literal(gone).label("gone")),
        )
        .join_from(CHILDREN[DOWNLOADS.name], repositories, _its(release))
        .where(*conditions)
        .order_by(moment.desc(), release.id.desc())
    )


def _its(other: Any) -> Any:
    return and_(repositories.c.host == other.host, repositories.c.id == other.repository_id)


def _between(column: Any, since: datetime | None, until: datetime | None) -> list[Any]:
    ends = [] if since is None else [column >= since]
    return ends if until is None else [*ends, column <= until]
