"""The repositories that are served: full-size objects, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sync.sandbox.account_json import organization, private_user, public_user, simple_user
from sync.sandbox.repository_json import new_repository, repository

OWNER = "bench"
PER_PAGE = 100
_LANGUAGES = ("Python", "Rust", "Go", "TypeScript", "C", None)
_LICENSES = ("mit", "apache-2.0", "gpl-3.0", "bsd-3-clause", None)
_WORDS = (
    "parser",
    "server",
    "client",
    "notes",
    "tools",
    "cache",
    "queue",
    "index",
    "graph",
    "mail",
)
_FIRST_DAY = datetime(2012, 1, 1, tzinfo=UTC)
_encode = msgspec.json.Encoder().encode


def account(api: str, count: int) -> tuple[bytes, bytes]:
    """Return the owner as a user who asks for itself, and as an organization."""
    short = simple_user(OWNER, 1, "User", api)
    created = "2011-01-01T00:00:00Z"
    public = public_user(short, name="Bench", created_at=created, public_repos=count)
    private = private_user(public, private_repos=0, collaborators=0)
    return _encode(private), _encode(organization(public))


def changed_numbers(count: int) -> frozenset[int]:
    """Return which repositories, counted from 0, change: 1 %, scattered at random."""
    drawn = random.Random(1).sample(range(count), max(count // 100, 1))
    return frozenset(drawn)


def pages(api: str, count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield each page as JSON: before anything changed, and after."""
    owner = simple_user(OWNER, 1, "User", api)
    changing = changed_numbers(count)
    for start in range(0, count, PER_PAGE):
        numbers = range(start, min(start + PER_PAGE, count))
        fields = {number: _fields(number) for number in numbers}
        before = _encode([_built(fields[n], owner, api) for n in numbers])
        after = before
        if not changing.isdisjoint(numbers):
            changes = {n: _changed(fields[n]) if n in changing else fields[n] for n in numbers}
            after = _encode([_built(changes[n], owner, api) for n in numbers])
        yield before, after


def _built(fields: dict[str, Any], owner: dict[str, Any], api: str) -> dict[str, Any]:
    place = fields["full_name"]
    return repository(
        fields, place, owner, api=api, permission="admin", version="2022-11-28", full=False
    )


def _fields(number: int) -> dict[str, Any]:
    draw = random.Random(number)
    word = draw.choice(_WORDS)
    created = _FIRST_DAY + timedelta(minutes=31 * number)
    later = created + timedelta(days=draw.randrange(900), seconds=draw.randrange(86400))
    given = {
        "description": f"A {word} for {draw.choice(_WORDS)} and {draw.choice(_WORDS)}, "
        f"number {number} of {draw.randrange(10**9)}",
        "homepage": f"https://{word}.example/{number}" if number % 3 == 0 else None,
        "language": draw.choice(_LANGUAGES),
        "license": draw.choice(_LICENSES),
        "topics": sorted(draw.sample(_WORDS, draw.randrange(5))),
        "stargazers_count": int(draw.paretovariate(0.8)),
        "forks_count": draw.randrange(50),
        "open_issues_count": draw.randrange(20),
        "size": draw.randrange(10**6),
        "updated_at": _text(later),
        "pushed_at": _text(later),
        "fork": number % 7 == 0,
        "archived": number % 11 == 0,
    }
    return new_repository(1_000_000 + 37 * number, OWNER, f"{word}-{number}", _text(created), given)


def _changed(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a repository after a day: another text, another time, a few stars more."""
    stars = fields["stargazers_count"] + 3
    moment = "2026-11-01T12:00:00Z"
    return fields | {
        "description": f"{fields['description']}, reworked",
        "updated_at": moment,
        "pushed_at": moment,
        "stargazers_count": stars,
        "watchers_count": stars,
        "watchers": stars,
    }


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
