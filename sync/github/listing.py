"""Walking through the pages of a listing, several in flight, in order.

Which page comes next is decided by `Itinerary` without I/O; `walk` fetches.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from functools import lru_cache
from itertools import chain
from urllib.parse import parse_qsl, urlsplit

from sync import origin
from sync.errors import UnexpectedAnswer
from sync.github.answers import CachedPage, Page
from sync.github.protocol import PER_PAGE

_PAGE = re.compile(r"([?&]page=)\d+")
MAX_PAGES = 20_000  # two million repositories; past that the server is not telling the truth
_MAX_HELD = 64 * 1024 * 1024  # bytes of answers kept ready; an ordinary page has half a million


class Itinerary:
    """The addresses of a listing's pages, as far as they are known.

    They come from three sources: pages remembered from the last run, which
    can be asked for at once; `next` and `last` of a page's links; and the rule
    that a full page is always followed by one more request. That rule matters:
    a repository added behind a full last page changes neither that page nor
    its ETag, so a 304 alone would hide it.

    What a page says counts for more than what is remembered.
    """

    def __init__(self, first_url: str, cached: Mapping[str, CachedPage]) -> None:
        self.urls: list[str] = []
        self._position: dict[_Address, int] = {}
        self._ids_before: tuple[int, ...] = ()
        url: str | None = first_url
        while url is not None and _address(url) not in self._position:
            self._add(url)
            page = cached.get(url)
            url = (page.next_url or _page_after(url, page.item_count)) if page else None

    def arrived(self, page: Page) -> None:
        """Take in the links of `page`.

        Raises ForeignOrigin, and UnexpectedAnswer if the pages lead in a circle
        or are all the same.
        """
        self._refuse_repetition(page)
        here = self._position[_address(page.url)]
        following = page.next_url or _page_after(page.url, page.item_count)
        if following is None:
            self._end_at(here)
            return
        origin.require_same_origin(page.url, following, "the link to the next page")
        position = self._position.get(_address(following))
        if position is not None and position <= here:
            raise UnexpectedAnswer("the listing's pages lead in a circle", url=page.url)
        if position != here + 1:
            self._end_at(here)
        for url in chain((following,), self._announced(following, page.last_url)):
            if _address(url) not in self._position:
                self._add(url)

    def _announced(self, following: str, last: str | None) -> Iterator[str]:
        """Yield the addresses behind `following` up to `last`; none if that is known already.

        Every page announces the last one: to go through those between each time would take
        quadratic time.
        """
        known = last is None or _address(last) in self._position
        return iter(()) if known else _pages_between(following, last)

    def _refuse_repetition(self, page: Page) -> None:
        """Raise UnexpectedAnswer if the server gives one page again and again."""
        ids = tuple(item.record.id for item in page.items)
        if ids and ids == self._ids_before:
            raise UnexpectedAnswer("the server gives the same page for every number", url=page.url)
        self._ids_before = ids

    def _end_at(self, position: int) -> None:
        """Forget the addresses behind `position`."""
        for url in self.urls[position + 1 :]:
            del self._position[_address(url)]
        del self.urls[position + 1 :]

    def _add(self, url: str) -> None:
        if len(self.urls) >= MAX_PAGES:
            raise UnexpectedAnswer(f"the listing has more than {MAX_PAGES:,} pages", url=url)
        self._position[_address(url)] = len(self.urls)
        self.urls.append(url)


def walk(
    itinerary: Itinerary,
    fetch: Callable[[str], Page],
    submit: Callable[[Callable[[str], Page], str], Future[Page]],
    window: int,
) -> Iterator[Page]:
    """Yield the pages in order, with up to `window` of them asked for ahead.

    `submit` runs `fetch` in the background. The error of a page is raised in
    its turn; what was asked for behind it is given up.
    """
    pending: deque[tuple[str, Future[Page]]] = deque()
    done = 0

    def ask_ahead() -> None:
        """Give up what turned out not to be of the listing; ask for what is."""
        ahead = itinerary.urls[done : done + window]
        while [url for url, _ in pending] != ahead[: len(pending)]:
            pending.pop()[1].cancel()
        for url in ahead[len(pending) :]:
            if sum(_size(future) for _, future in pending) > _MAX_HELD:
                break
            pending.append((url, submit(fetch, url)))

    try:
        ask_ahead()
        while pending:
            page = pending.popleft()[1].result()
            done += 1
            itinerary.arrived(page)
            ask_ahead()
            yield page
    finally:
        for _, future in pending:
            future.cancel()


def _size(future: Future[Page]) -> int:
    arrived = future.done() and not future.cancelled() and future.exception() is None
    return future.result().size if arrived else 0


@lru_cache(maxsize=64)
def page_number(url: str) -> int | None:
    """Return the `page` parameter of a URL; 1 if it has none, None if it is not a number."""
    text = dict(parse_qsl(urlsplit(url).query)).get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# Path and parameters in order: the same page, however its address is written.
_Address = tuple[str, tuple[tuple[str, str], ...]]


@lru_cache(maxsize=64)  # a page's, its follower's and the last one's are looked at several times
def _address(url: str) -> _Address:
    parts = urlsplit(url)
    return parts.path, tuple(sorted(parse_qsl(parts.query)))


def with_page(url: str, number: int) -> str:
    """Return `url`, as the server wrote it, with another page number."""
    replaced, times = _PAGE.subn(rf"\g<1>{number}", url)
    if times:
        return replaced
    return f"{url}{'&' if '?' in url else '?'}page={number}"


def _page_after(url: str, item_count: int) -> str | None:
    number = page_number(url)
    return with_page(url, number + 1) if item_count >= PER_PAGE and number else None


def _pages_between(next_url: str, last_url: str | None) -> Iterator[str]:
    """Yield the addresses behind `next_url` up to `last_url`, if they differ in the page alone."""
    first, last = page_number(next_url), last_url and page_number(last_url)
    if not first or not last or last_url is None:
        return
    if _address(with_page(next_url, 0)) == _address(with_page(last_url, 0)):
        for number in range(first + 1, last + 1):
            yield with_page(next_url, number)
