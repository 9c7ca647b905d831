"""An event in words. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from sync.events.event import COUNTER_KINDS, Event, EventKind
from sync.events.from_figures import Rest

_GONE: Mapping[Any, str] = {
    "not_found": "deleted, or no longer visible",
    "blocked": "blocked by GitHub",
    "unlisted": "no longer listed",
    "private": "private",
    "transferred": "transferred to an owner whose repositories are not listed",
}
_COUNTERS: Mapping[str, str] = {
    "stargazers_count": "★",
    "forks_count": "forks",
    "subscribers_count": "watchers",
    "open_issues_count": "open issues",
    "size": "size in kB",
}
_SETTINGS: Mapping[str, tuple[str, str]] = {
    "is_template": ("became a template", "no longer a template"),
    "fork": ("became a fork", "no longer a fork"),
    "disabled": ("disabled by GitHub", "enabled again by GitHub"),
    **{
        f"has_{what}": (f"{what} switched on", f"{what} switched off")
        for what in ("issues", "projects", "wiki", "pages", "discussions")
    },
}


def sentence(event: Event) -> str:
    """Return an event in a maintainer's words, without the repository's name.

    One line of any length. Texts of GitHub's are in it as they are, control characters too.
    """
    return _SENTENCES[event.kind](event)


def rest_of(rest: Rest) -> str:
    """Return what several repositories gained and lost together, in words."""
    counter = next(_COUNTERS[column] for column, kind in COUNTER_KINDS.items() if kind is rest.kind)
    signed = ((f"+{rest.gained:,}", rest.gained), (f"−{rest.lost:,}", rest.lost))
    return f"{counter} {' '.join(text for text, number in signed if number)}"


def _renamed(event: Event) -> str:
    if "owner_login" in event.fields:
        return f"owner renamed {event.old('owner_login')} → {event.new('owner_login')}"
    field = "name" if "name" in event.fields else "full_name"
    old = event.old(field)
    return f"named {event.new(field)}" if old is None else f"renamed {old} → {event.new(field)}"


def _transferred(event: Event) -> str:
    old, new = _owners(event)
    what = f"transferred {old} → {new}" if old != new else "transferred to another owner"
    if "name" in event.fields:
        what += f", renamed {event.old('name')} → {event.new('name')}"
    return f"{what}; no longer listed" if "removed_at" in event.fields else what


def _owners(event: Event) -> tuple[str, str]:
    """Return the logins of an owner before and after; of old rows they are in the full name."""
    if "owner_login" in event.fields:
        old, new = event.fields["owner_login"]
    else:
        full_name = event.fields.get("full_name", (event.full_name_then, event.full_name))
        old, new = (str(name or "").partition("/")[0] for name in full_name)
    return old or "unknown", new or "unknown"


def gone(reason: str | None) -> str:
    """Return in words why a repository is removed."""
    return _GONE.get(reason, "no longer listed")


def _removed(event: Event) -> str:
    return gone(event.new("removal_reason"))


def _hidden(event: Event) -> str:
    visibility = event.new("visibility") or "private"
    what = "became internal" if visibility == "internal" else f"went {visibility}"
    return f"{what}; its name and texts were deleted here" if _is_redacted(event) else what


def _is_redacted(event: Event) -> bool:
    return "redacted" in event.fields


def _public(event: Event) -> str:
    again = event.old("removal_reason") == "private" or event.old("visibility") == "private"
    return "went public" if again else "is public"


def _released(event: Event) -> str:
    what = "pre-released" if event.new("prerelease") else "released"
    tag, name = event.new("tag_name"), event.new("name")
    if tag is None:
        return f"{what} a version"
    return f"{what} {tag}" if not name or tag in name else f"{what} {tag}: {name}"


def _unreleased(event: Event) -> str:
    return f"release {event.old('tag_name')} deleted"


def _license(event: Event) -> str:
    return _from_to("licence", event.fields["license_spdx_id"])


def _topics(event: Event) -> str:
    old, new = (value or () for value in event.fields["topics"])
    added = (f"+{topic}" for topic in new if topic not in old)
    removed = (f"−{topic}" for topic in old if topic not in new)
    return f"topics {' '.join(chain(added, removed)) or 'in another order'}"


def _text(field: str) -> Callable[[Event], str]:
    """Return what says that a text of any length is another one."""

    def said(event: Event) -> str:
        old, new = event.fields[field]
        if not new:
            return f"{field} removed: “{old}”"
        return f"{field}: “{new}”" if not old else f"{field}: “{new}” (was “{old}”)"

    return said


def _settings(event: Event) -> str:
    ((field, values),) = event.fields.items()
    if field in _SETTINGS and values[1] is not None:
        return _SETTINGS[field][0 if values[1] else 1]
    return _from_to(field, values)


def _from_to(what: str, values: tuple[Any, Any]) -> str:
    old, new = ("none" if value is None else value for value in values)
    return f"{what} {old} → {new}"


def _counted(event: Event) -> str:
    ((field, (old, new)),) = event.fields.items()
    sign = "+" if new >= old else "−"
    return f"{_COUNTERS[field]} {sign}{abs(new - old):,} ({old:,} → {new:,})"


_SENTENCES: Mapping[EventKind, Callable[[Event], str]] = {
    EventKind.created: lambda _: "new",
    EventKind.renamed: _renamed,
    EventKind.transferred: _transferred,
    EventKind.removed: _removed,
    EventKind.restored: lambda _: "listed again",
    EventKind.private: _hidden,
    EventKind.public: _public,
    EventKind.redacted: lambda _: "its name and texts were deleted here",
    EventKind.archived: lambda _: "archived",
    EventKind.unarchived: lambda _: "no longer archived",
    EventKind.released: _released,
    EventKind.unreleased: _unreleased,
    EventKind.license: _license,
    EventKind.description: _text("description"),
    EventKind.homepage: _text("homepage"),
    EventKind.topics: _topics,
    EventKind.language: lambda e: _from_to("main language", e.fields["language"]),
    EventKind.default_branch: lambda e: _from_to("default branch", e.fields["default_branch"]),
    EventKind.settings: _settings,
    EventKind.joined: lambda e: f"listed for account {e.new('account')} too",
    EventKind.left: lambda e: f"no longer listed for account {e.old('account')}",
    EventKind.pushed: lambda _: "pushed",
    EventKind.updated: lambda _: "updated",
    **dict.fromkeys(COUNTER_KINDS.values(), _counted),
}
