"""Requests the pages of a listing, several in flight, and yields them in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from sync.core.errors import RestError
from sync.forges.answers import Page
from sync.forges.page_queue import PageQueue

_MAX_HELD = 64 * 1024 * 1024  # bytes of pages in flight; an ordinary page takes a million


def walk(
    queue: PageQueue,
    fetch: Callable[[str], Page],
    submit: Callable[[Callable[[str], Page], str], Future[Page]],
    window: int,
) -> Iterator[Page]:
    """Yield the pages in order, with up to `window` of them requested ahead.

    `submit` runs `fetch` in the background. The error of a page is raised in its turn;
    requests for later pages are cancelled. A page counts as in flight from its request, as
    large as the largest page so far, until the caller asks for the next page.
    """
    pending: deque[tuple[str, Future[Page]]] = deque()
    done = given = largest = 0

    def ask_ahead() -> None:
        """Cancel requests for pages that are not in the listing; request those that are."""
        ahead = queue.urls[done : done + window]
        while [url for url, _ in pending] != ahead[: len(pending)]:
            pending.pop()[1].cancel()
        for url in ahead[len(pending) :]:
            under_way = given + sum(_size(future, largest) for _, future in pending)
            if under_way and under_way + largest > _MAX_HELD:
                break
            pending.append((url, submit(fetch, url)))

    try:
        ask_ahead()
        while pending:
            url, future = pending.popleft()
            try:
                page = future.result()
            except RestError as error:
                if queue.ends_before(url, error):
                    return
                raise
            del future
            done += 1
            belongs = queue.arrived(page)
            given, largest = page.size, max(largest, page.size)
            ask_ahead()
            if belongs:
                yield page
            del page  # frees its memory during the wait for the next page
            given = 0
            ask_ahead()
    finally:
        for _, future in pending:
            future.cancel()


def _size(future: Future[Page], expected: int) -> int:
    if not future.done():
        return expected
    arrived = not future.cancelled() and future.exception() is None
    return future.result().size if arrived else 0
