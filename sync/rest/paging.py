"""Listings in pages that lead from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from sync.errors import UnexpectedAnswer
from sync.rest.response import Response

T = TypeVar("T")

MOST = 10_000  # pages; past that a server is not telling the truth


class Leaf(NamedTuple, Generic[T]):
    """A page as it was answered, what was read there, and the address of the next one."""

    response: Response
    value: T
    following: str | None


def linked(first: Leaf[T], fetch: Callable[[str], Leaf[T]], most: int = MOST) -> Iterator[T]:
    """Yield the value of `first`, of the page that follows it, and so on.

    Raises UnexpectedAnswer for pages that lead in a circle or do not end, and what
    `fetch` raises.
    """
    seen = {first.response.url}
    page = first
    while True:
        yield page.value
        if page.following is None:
            return
        if page.following in seen:
            raise page.response.error(UnexpectedAnswer, "the pages lead in a circle")
        if len(seen) >= most:
            raise page.response.error(UnexpectedAnswer, f"there are more than {most:,} pages")
        seen.add(page.following)
        page = fetch(page.following)
