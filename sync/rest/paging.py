"""Listings in pages that lead from one to the next by a link (RFC 8288)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sync.errors import UnexpectedAnswer
from sync.rest.response import Response

MOST = 10_000  # pages; past that a server is not telling the truth


def linked(
    first: Response, fetch: Callable[[str], Response], most: int = MOST
) -> Iterator[Response]:
    """Yield `first`, and what its `next` leads to, and so on.

    Raises UnexpectedAnswer for pages that lead in a circle or do not end, and what
    `fetch` raises.
    """
    seen = {first.url}
    page = first
    while True:
        yield page
        following = page.links.get("next")
        if following is None:
            return
        if following in seen:
            raise page.error(UnexpectedAnswer, "the pages lead in a circle")
        if len(seen) >= most:
            raise page.error(UnexpectedAnswer, f"there are more than {most:,} pages")
        seen.add(following)
        page = fetch(following)
