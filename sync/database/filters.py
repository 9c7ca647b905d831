"""Filters for lists of repositories and changes, as SQL and, for past states, in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import LargeBinary, Text, and_, cast, false, not_, or_, type_coerce

from sync.core.errors import QueryRefused
from sync.database.change_kinds import Kind
from sync.database.changelog import ACCOUNT, CREATED, REDACTED, REDACTED_NAME, as_text
from sync.database.dialects import Dialect
from sync.database.tables import CONTENT, COUNTERS, repositories, repository_changes
from sync.database.text_match import (
    folded,
    has_text,
    is_glob,
    is_like_glob,
    is_text,
    matches_glob,
    within,
)
from sync.database.text_search import hold_words

# The columns of a list of repositories: all but the payload and its hash.
REPOSITORY_COLUMNS = (
    *("host", "id"),
    *CONTENT,
    *COUNTERS,
    *("first_seen_at", "changed_at", "removed_at", "removal_reason"),
)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A name or a pattern of one, with or without the owner. `host`: in the ledger's spelling."""

    full_name: str
    host: str | None = None

    def condition(self, dialect: Dialect) -> Any:
        """Return the SQL condition that a repository is called so."""
        table = repositories.c
        column = table.full_name if "/" in self.full_name else table.name
        if is_glob(self.full_name):
            called = matches_glob(column, self.full_name)
        elif column is table.full_name:
            called = dialect.is_name(column, self.full_name)
        else:
            called = is_text(column, self.full_name)
        at = () if self.host is None else (dialect.is_common(table.host, self.host),)
        return and_(called, *at)

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row's repository is called so."""
        name = row["full_name"] if "/" in self.full_name else row["name"]
        return self.host in (None, row["host"]) and is_like_glob(name, self.full_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFilter:
    """A filter for repositories; None matches all.

    `host`: in the ledger's spelling. `owner`, `language`, `topic`, `license` and `visibility`
    ignore case. `license`: "" is none. `name`: a part of the full name. `names`: names and
    patterns, of which one matches. `stars`: the fewest and the most. `words`: all of them are in
    its texts, see `text_search`. `removed`: removed repositories instead of current ones. Raises
    QueryRefused for invalid text.
    """

    host: str | None = None
    owner: str | None = None
    language: str | None = None
    topic: str | None = None
    name: str | None = None
    archived: bool | None = None
    fork: bool | None = None
    template: bool | None = None
    license: str | None = None
    visibility: str | None = None
    stars: tuple[int | None, int | None] = (None, None)
    pushed_before: datetime | None = None
    pushed_after: datetime | None = None
    names: tuple[NamePattern, ...] = ()
    words: tuple[str, ...] = ()
    removed: bool = False

    def __post_init__(self) -> None:
        try:
            for text in self._texts:
                text.encode()
        except UnicodeEncodeError:  # the command line is not valid UTF-8
            raise QueryRefused("the given name or value is not valid text (UTF-8)") from None

    def conditions(self, dialect: Dialect) -> list[Any]:
        """Return the filter as SQL conditions on `repositories`."""
        table = repositories.c
        found: list[Any] = [
            table.removed_at.is_not(None) if self.removed else table.removed_at.is_(None)
        ]
        if self.host is not None:
            found.append(dialect.is_common(table.host, self.host))
        if self.owner is not None:
            found.append(is_text(table.owner_login, self.owner))
        if self.language is not None:
            found.append(is_text(table.language, self.language))
        if self.topic is not None:
            listed = has_text(_json_text(table.topics), _quoted(self.topic))
            found.append(listed if self._is_topic else false())
        if self.name is not None:
            found.append(has_text(table.full_name, self.name))
        if self.archived is not None:
            found.append(table.archived == self.archived)
        if self.fork is not None:
            found.append(table.fork == self.fork)
        return found + self._further_conditions(dialect)

    def _further_conditions(self, dialect: Dialect) -> list[Any]:
        table, (fewest, most) = repositories.c, self.stars
        found: list[Any] = []
        if self.template is not None:
            found.append(table.is_template == self.template)
        if self.license is not None:
            spdx = table.license_spdx_id
            found.append(is_text(spdx, self.license) if self.license else spdx.is_(None))
        if self.visibility is not None:
            found.append(is_text(table.visibility, self.visibility))
        if fewest is not None:
            found.append(table.stargazers_count >= fewest)
        if most is not None:
            found.append(table.stargazers_count <= most)
        if self.pushed_before is not None:
            found.append(table.pushed_at < self.pushed_before)
        if self.pushed_after is not None:
            found.append(table.pushed_at >= self.pushed_after)
        if self.names:
            found.append(or_(*(pattern.condition(dialect) for pattern in self.names)))
        if self.words:
            found.append(dialect.may_hold_words(repositories, self.words))
        return found

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Return whether the filter matches a row."""
        topics = as_text(row["topics"])
        return (
            (row["removed_at"] is not None) == self.removed
            and (self.host is None or row["host"] == self.host)
            and (self.owner is None or folded(row["owner_login"]) == folded(self.owner))
            and (self.language is None or folded(row["language"]) == folded(self.language))
            and (self.topic is None or (self._is_topic and within(_quoted(self.topic), topics)))
            and (self.name is None or within(self.name, row["full_name"]))
            and (self.archived is None or row["archived"] == self.archived)
            and (self.fork is None or row["fork"] == self.fork)
            and self._matches_further(row)
        )

    def _matches_further(self, row: Mapping[str, Any]) -> bool:
        stars, pushed, (fewest, most) = row["stargazers_count"], row["pushed_at"], self.stars
        licensed = folded(row["license_spdx_id"] or "")
        return (
            (self.template is None or row["is_template"] == self.template)
            and (self.license is None or licensed == folded(self.license))
            and (self.visibility is None or folded(row["visibility"]) == folded(self.visibility))
            and (fewest is None or (stars is not None and stars >= fewest))
            and (most is None or (stars is not None and stars <= most))
            and (self.pushed_before is None or (pushed and pushed < self.pushed_before))
            and (self.pushed_after is None or (pushed and pushed >= self.pushed_after))
            and (not self.names or any(pattern.matches(row) for pattern in self.names))
            and self.has_words(row)
        )

    def has_words(self, row: Mapping[str, Any]) -> bool:
        """Return whether a row has the words, of which its database knows less."""
        texts = (row["full_name"], row["description"], as_text(row["topics"]))
        return not self.words or hold_words(texts, self.words)

    @property
    def _texts(self) -> Iterator[str]:
        texts = (self.owner, self.language, self.topic, self.name, self.license, self.visibility)
        yield from (text for text in texts if text is not None)
        yield from self.words
        yield from (pattern.full_name for pattern in self.names)

    @property
    def _is_topic(self) -> bool:
        """Return whether `topic` can be a topic: the separator of two in JSON cannot."""
        return (self.topic or "").strip() != ","


def of_kind(kind: Kind) -> Any:
    """Return the SQL condition for a kind of change; `changelog.kind_of` is the same in Python."""
    log = repository_changes.c
    before, after = log.old_value.is_not(None), log.new_value.is_not(None)
    told = {
        Kind.created: log.field == CREATED,
        Kind.redacted: log.field == REDACTED,
        Kind.renamed: and_(
            log.field == "name", or_(not_(before), not_(log.old_value.startswith(REDACTED_NAME)))
        ),
        Kind.transferred: and_(log.field == "owner_id", before, after),
        Kind.removed: and_(log.field == "removed_at", not_(before), after),
        Kind.restored: and_(log.field == "removed_at", before, not_(after)),
        Kind.joined: and_(log.field == ACCOUNT, after),
        Kind.left: and_(log.field == ACCOUNT, not_(after)),
    }
    return told[kind] if kind in told else not_(or_(*told.values()))


def _quoted(topic: str) -> str:
    """Return a topic as it is spelled in the JSON text of a list."""
    return msgspec.json.encode(topic).decode()


def _json_text(column: Any) -> Any:
    # As bytes on MySQL, whose text comparison ignores accents.
    kind = Text().with_variant(LargeBinary, "mysql", "mariadb")
    return type_coerce(cast(column, kind), Text)
