"""Selects, sorts and pages the repositories of a listing. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from sync.sandbox.account_json import timestamp
from sync.sandbox.messages import RefusedError
from sync.sandbox.registry import Repository

AFFILIATIONS = ("owner", "collaborator", "organization_member")
_SORTS = {"created": "created_at", "updated": "updated_at", "pushed": "pushed_at", "full_name": ""}
_PER_PAGE = 30


@dataclass(frozen=True, kw_only=True)
class Order:
    """The order of a listing, and the range of its times of update."""

    sort: str
    direction: str
    since: str
    before: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a listing: its number and slice, and the rels and numbers of the other pages."""

    number: int
    start: int
    stop: int
    neighbours: tuple[tuple[str, int], ...]


def choice(query: Mapping[str, str], name: str, allowed: Iterable[str], default: str) -> str:
    """The value of a parameter, which must be one of `allowed`; empty counts as missing."""
    value = query.get(name) or default
    if value not in allowed:
        raise invalid(name, value)
    return value


def affiliations(query: Mapping[str, str]) -> frozenset[str]:
    """The parameter `affiliation`: words between commas."""
    given = query.get("affiliation") or ",".join(AFFILIATIONS)
    words = frozenset(word.strip() for word in given.split(","))
    if not words <= set(AFFILIATIONS):
        raise invalid("affiliation", given)
    return words


def order(query: Mapping[str, str], *, sort: str = "full_name") -> Order:
    """The parameters `sort`, `direction`, `since` and `before`, with GitHub's defaults."""
    chosen = choice(query, "sort", _SORTS, sort)
    default = "asc" if chosen == "full_name" else "desc"
    return Order(
        sort=chosen,
        direction=choice(query, "direction", ("asc", "desc"), default),
        since=_moment(query, "since"),
        before=_moment(query, "before"),
    )


def ordered(found: Iterable[Repository], by: Order) -> list[Repository]:
    """The repositories in order that were updated from `since` on and before `before`."""
    kept = [
        item
        for item in found
        if by.since <= item.text("updated_at") and not by.before <= item.text("updated_at")
    ]
    field = _SORTS[by.sort]
    key = (
        (lambda item: (item.text(field), item.key))
        if field
        else (lambda item: (item.place.lower(), item.key))
    )
    return sorted(kept, key=key, reverse=by.direction == "desc")


def page(query: Mapping[str, str], total: int, largest: int = 100) -> Page:
    """The page of `total` items by the parameters `per_page` and `page`, at most `largest`."""
    size = min(_number(query, "per_page", _PER_PAGE), largest)
    number, last = _number(query, "page", 1), max(-(-total // size), 1)
    neighbours: list[tuple[str, int]] = []
    if number > 1:
        neighbours.append(("prev", min(number - 1, last)))
    if number < last:
        neighbours += [("next", number + 1), ("last", last)]
    if number > 1:
        neighbours.append(("first", 1))
    start = (number - 1) * size
    return Page(number=number, start=start, stop=start + size, neighbours=tuple(neighbours))


def links(url: str, query: Mapping[str, str], neighbours: Iterable[tuple[str, int]]) -> list[str]:
    """The members of the Link header, with the other parameters of the request."""
    return [
        f'<{url}?{urlencode({**query, "page": str(number)})}>; rel="{rel}"'
        for rel, number in neighbours
    ]


def invalid(field: str, value: str) -> RefusedError:
    """The refusal of an invalid value of a parameter."""
    problem: dict[str, Any] = {"resource": "Repository", "field": field}
    problem |= {"code": "invalid", "value": value}
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "Validation Failed", errors=[problem])


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
    return number or default


def _moment(query: Mapping[str, str], name: str) -> str:
    # The edges sort before and after every time.
    if not (given := query.get(name, "")):
        return "" if name == "since" else "~"
    # A plus sign that the client did not escape arrives as a space.
    given = given.replace(" ", "+") if "T" in given else given
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(name, given) from None
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
