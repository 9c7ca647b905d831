"""One event, and the table of the kinds of events. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct


class EventKind(StrEnum):
    """The kind of an event."""

    created = "created"
    renamed = "renamed"
    transferred = "transferred"
    removed = "removed"
    restored = "restored"
    private = "private"
    public = "public"
    redacted = "redacted"
    archived = "archived"
    unarchived = "unarchived"
    released = "released"
    unreleased = "unreleased"
    license = "license"
    description = "description"
    homepage = "homepage"
    topics = "topics"
    language = "language"
    default_branch = "default_branch"
    settings = "settings"
    joined = "joined"
    left = "left"
    stars = "stars"
    forks = "forks"
    watchers = "watchers"
    issues = "issues"
    size = "size"
    pushed = "pushed"
    updated = "updated"


class Tone(StrEnum):
    """What an event means to a maintainer: good or bad news, to be noticed, or neither."""

    good = "good"
    bad = "bad"
    notable = "notable"
    plain = "plain"


class About(NamedTuple):
    """What there is to know of a kind. `noise`: it is only shown if asked for."""

    tone: Tone = Tone.plain
    noise: bool = False


KINDS: Mapping[EventKind, About] = {
    **dict.fromkeys(EventKind, About()),
    EventKind.created: About(Tone.good),
    EventKind.restored: About(Tone.good),
    EventKind.public: About(Tone.good),
    EventKind.released: About(Tone.good),
    EventKind.removed: About(Tone.bad),
    EventKind.private: About(Tone.bad),
    EventKind.redacted: About(Tone.bad),
    EventKind.unreleased: About(Tone.bad),
    EventKind.renamed: About(Tone.notable),
    EventKind.transferred: About(Tone.notable),
    EventKind.archived: About(Tone.notable),
    EventKind.license: About(Tone.notable),
    EventKind.issues: About(noise=True),
    EventKind.size: About(noise=True),
    EventKind.pushed: About(noise=True),
    EventKind.updated: About(noise=True),
}
# The kind of the events of a counter. `watchers_count` is GitHub's other name for the stars.
COUNTER_KINDS: Mapping[str, EventKind] = {
    "stargazers_count": EventKind.stars,
    "forks_count": EventKind.forks,
    "subscribers_count": EventKind.watchers,
    "open_issues_count": EventKind.issues,
    "size": EventKind.size,
}
# What `--change` calls the rows of the log, for events that have another kind or no one kind.
CHANGED = "changed"
_GROUPS: Mapping[str, frozenset[EventKind]] = {
    CHANGED: frozenset(
        (
            *(EventKind.private, EventKind.public, EventKind.archived, EventKind.unarchived),
            *(EventKind.license, EventKind.description, EventKind.homepage, EventKind.topics),
            *(EventKind.language, EventKind.default_branch, EventKind.settings),
            *(EventKind.pushed, EventKind.updated),
        )
    )
}
CHOICES = (*(kind.value for kind in EventKind), *_GROUPS)


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened to one repository.

    `observed_at`: when a sync saw it, in UTC; when a release was published; the begin of the last
    day of a counter's sum, which begins with the day `since`. `full_name_then`: the name before
    the event, `full_name`: the name now. `fields`: each changed field with its value before and
    after; None is no value, or an unknown one. `run_id`: the sync run; None for sums.
    """

    observed_at: datetime
    kind: EventKind
    host: str
    repository_id: int
    full_name_then: str
    full_name: str
    html_url: str | None = None
    fields: Mapping[str, tuple[Any, Any]]
    run_id: int | None = None
    since: date | None = None

    def new(self, field: str) -> Any:
        """Return the value of a field after the event; None if it is not among its fields."""
        return self.fields.get(field, (None, None))[1]

    def old(self, field: str) -> Any:
        """Return the value of a field before the event."""
        return self.fields.get(field, (None, None))[0]

    @property
    def gained(self) -> int:
        """The difference of a counter; 0 for other events."""
        return sum(
            new - old
            for field, (old, new) in self.fields.items()
            if field in COUNTER_KINDS and old is not None and new is not None
        )


def wanted(chosen: Iterable[str], *, everything: bool = False) -> frozenset[EventKind]:
    """Return the kinds that these names mean; without names all that are no noise, or all.

    A name is that of a kind, or a group of them.
    """
    names = tuple(chosen)
    if not names:
        return frozenset(kind for kind in EventKind if everything or not KINDS[kind].noise)
    groups = (_GROUPS.get(name, frozenset({name})) for name in names)
    return frozenset(EventKind(kind) for group in groups for kind in group)
