"""Listings in pages, each with the address of the next page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from sync.core.errors import UnexpectedAnswer
from sync.rest.response import Response

T = TypeVar("T")

MOST = 10_000  # pages; more are taken for a mistake of the server


class Leaf(NamedTuple, Generic[T]):
    """A page's answer, the value that was read from it, and the address of the next page."""

    response: Response
    value: T
    following: str | None


def linked(first: Leaf[T], fetch: Callable[[str], Leaf[T]], most: int = MOST) -> Iterator[T]:
    """Yield the values of `first` and of all pages after it.

    Raises UnexpectedAnswer for pages that lead in a circle or do not end, and the errors of
    `fetch`.
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
