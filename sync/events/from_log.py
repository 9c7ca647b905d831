"""Turns rows of the change log into events. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sync.database.changelog import ACCOUNT, CREATED, REDACTED, REDACTED_NAME, from_text
from sync.database.tables import CONTENT
from sync.events.event import Event, EventKind

Row = Mapping[str, Any]
Key = tuple[str, int]
Fields = dict[str, tuple[Any, Any]]

_OWNER = ("owner_id", "owner_login", "owner_type")
_NAMES = ("name", "full_name", "html_url")
_REMOVAL = ("removed_at", "removal_reason", ACCOUNT, REDACTED)
_ALONE = {
    "license_spdx_id": EventKind.license,
    "description": EventKind.description,
    "homepage": EventKind.homepage,
    "topics": EventKind.topics,
    "language": EventKind.language,
    "default_branch": EventKind.default_branch,
    "pushed_at": EventKind.pushed,
    "updated_at": EventKind.updated,
    REDACTED: EventKind.redacted,
}
_UNTOLD = ("node_id", "html_url", "owner_type", "owner_id", "owner_login", "created_at")


def events_of(rows: Iterable[Row], later_names: Mapping[Key, str] | None = None) -> Iterator[Event]:
    """Yield the events of rows of `repository_changes`, which begin with the newest.

    A row has the columns of the log, and `full_name` and `html_url` of its repository now.
    `later_names`: what a repository was called after the newest row, if that is not its name
    now. One transaction's rows about a repository become one event, or one for each thing that
    changed independently of the others.
    """
    names = dict(later_names or {})
    for _, transaction in groupby(rows, key=lambda row: (row["run_id"], row["observed_at"])):
        repositories: dict[Key, list[Row]] = {}
        for row in transaction:
            repositories.setdefault((row["host"], row["repository_id"]), []).append(row)
        for key, theirs in repositories.items():
            changed = {row["field"]: _values(row) for row in theirs[::-1]}
            first = theirs[0]
            after: str = names.get(key) or first["full_name"]
            before: str = changed.get("full_name", (None, None))[0] or after
            names[key] = before
            for kind, fields in told(changed):
                yield Event(
                    observed_at=first["observed_at"],
                    kind=kind,
                    host=first["host"],
                    repository_id=first["repository_id"],
                    full_name_then=before,
                    full_name=first["full_name"],
                    html_url=first["html_url"],
                    fields=fields,
                    run_id=first["run_id"],
                )


def _values(row: Row) -> tuple[Any, Any]:
    """Return the values of a row before and after, of the type of its column."""
    texts = row["old_value"], row["new_value"]
    if row["field"] not in (*CONTENT, "removed_at"):
        return texts
    old, new = (from_text(row["field"], text) for text in texts)
    return old, new


def told(changed: Mapping[str, tuple[Any, Any]]) -> list[tuple[EventKind, Fields]]:
    """Return what happened to a repository whose fields changed so at once.

    An example: `name`, `full_name` and `html_url` together are one event, `renamed`.
    """
    left = _Changes(dict(changed))
    if CREATED in left.fields:
        # A repository is also created when it was purged, and is public again.
        return [(EventKind.created, {})]
    for rule in (_removal, _return, _visibility, _owner, _name, _archived):
        rule(left)
    for name, kind in _ALONE.items():
        if name in left.fields:
            left.tell(kind, name)
    if ACCOUNT in left.fields:
        left.tell(EventKind.left if left.fields[ACCOUNT][1] is None else EventKind.joined, ACCOUNT)
    for name in [name for name in left.fields if name not in _UNTOLD]:
        left.tell(EventKind.settings, name)
    return left.events


@dataclass
class _Changes:
    """The changed fields that no event tells yet, and the events."""

    fields: Fields
    events: list[tuple[EventKind, Fields]] = field(default_factory=list)

    def tell(self, kind: EventKind, *names: str) -> None:
        """Add an event of those of these fields that have changed."""
        told = {name: self.fields.pop(name) for name in names if name in self.fields}
        self.events.append((kind, told))

    def became(self, name: str, condition: Callable[[Any, Any], bool]) -> bool:
        """Return whether a field has changed, and so."""
        return name in self.fields and condition(*self.fields[name])


def _removal(left: _Changes) -> None:
    if left.became("removed_at", lambda _, new: new is not None):
        reason = left.fields.get("removal_reason", (None, None))[1]
        if reason == "transferred":
            left.tell(EventKind.transferred, *_REMOVAL, *_OWNER, *_NAMES)
        else:
            kind = EventKind.private if reason == "private" else EventKind.removed
            left.tell(kind, *_REMOVAL, "visibility")


def _return(left: _Changes) -> None:
    if left.became("removed_at", lambda _, new: new is None):
        is_public = left.became("visibility", lambda _, new: new == "public")
        left.tell(EventKind.public if is_public else EventKind.restored, *_REMOVAL, "visibility")


def _visibility(left: _Changes) -> None:
    if "visibility" in left.fields:
        is_public = left.fields["visibility"][1] == "public"
        left.tell(EventKind.public if is_public else EventKind.private, "visibility", REDACTED)


def _owner(left: _Changes) -> None:
    if left.became("owner_id", lambda old, new: None not in (old, new)):
        left.tell(EventKind.transferred, *_OWNER, *_NAMES)
    elif left.became("owner_login", lambda old, new: None not in (old, new)):
        left.tell(EventKind.renamed, *_OWNER, *_NAMES)  # the owner has another login


def _name(left: _Changes) -> None:
    if left.became("name", lambda old, _: not str(old or "").startswith(REDACTED_NAME)):
        left.tell(EventKind.renamed, *_NAMES)
    elif "name" in left.fields:  # known again, after it had been redacted
        for name in _NAMES:
            left.fields.pop(name, None)
    elif "full_name" in left.fields:
        left.tell(EventKind.renamed, "full_name", "html_url")


def _archived(left: _Changes) -> None:
    if "archived" in left.fields:
        kind = EventKind.archived if left.fields["archived"][1] else EventKind.unarchived
        left.tell(kind, "archived")
