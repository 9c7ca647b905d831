"""One page of a listing of repositories, as a complete reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import listing, refusals
from .views import digest, encoded, permission_of
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .call import Call
    from .registry import Repository


def page(
    call: Call,
    key: tuple[Any, ...],
    select: Callable[[], Iterable[Repository]],
    by: listing.Order,
    at: str,
    *,
    wrap: Callable[[int, bytes], bytes] = lambda _total, items: items,
) -> Reply:
    """The page asked for of what `select` finds, as far as the viewer may see it.

    `key` tells one listing from another, and `at` is the path that its links lead to. `wrap`
    gets the number of all items and those of the page as JSON, and makes the body of them.
    """
    # The order of a long listing is kept until something changes: paging must not sort it anew.
    state, query = call.state, call.request.query
    kept = (*key, by, call.viewer.token)
    closed = state.closed_to(call.viewer.token)
    items = state.cache.get(kept)
    if items is None:
        listed = (item for item in select() if item.listed and item.owner not in closed)
        seen = ((item, permission_of(item, call.viewer)) for item in listed)
        allowed = {item: held for item, held in seen if held is not None}
        items = [(item, allowed[item]) for item in listing.ordered(allowed, by)]
        state.cache[kept] = items
    page = listing.page(query, len(items))
    parts = [
        encoded(state, item, permission=held, version=call.version)
        for item, held in items[page.start : page.stop]
    ]
    return Reply(
        body=wrap(len(items), b"[" + b",".join(body for body, _ in parts) + b"]"),
        # What an organization alone lists cannot be partial.
        headers={} if key[0] == "org" else refusals.partial_results(closed),
        fingerprint=digest(*(mark for _, mark in parts), wrap(len(items), b"")),
        links=tuple(listing.links(state.api + at, query, page.neighbours)),
    )
