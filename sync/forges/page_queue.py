"""The known pages of a listing, in order, and the next page to request. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from sync.core import origin
from sync.core.errors import RestError, UnexpectedAnswer
from sync.forges.answers import CachedPage, Page
from sync.forges.page_address import Address, address, pages_between, with_page
from sync.forges.paging import Paging

_ADVICE = " (if a proxy before the server is the reason: rewrite_links = true)"
_NO_PAGE = (204, 400, 404, 410, 416, 422)  # statuses of a page after the last one
MAX_PAGES = 20_000  # two million repositories; more are taken for a mistake of the server


class PageQueue:
    """The known addresses of a listing's pages.

    They have three sources: pages remembered from the last run, which are requested at
    once; `next` and `last` of a page's links; and the rule of one more request: it follows
    a page as full as the first page and, from a server without links, every page that is
    not empty. Without the rule, a 304 could hide a new repository: added after a full last
    page, it changes neither that page nor its ETag. And a server's pages may be shorter
    than requested.

    A page's links override remembered addresses. A page that only the rule requested is
    the end if it repeats an earlier page, as from a server without page numbers, or does
    not exist.
    """

    def __init__(self, first_url: str, cached: Mapping[str, CachedPage], paging: Paging) -> None:
        self._paging = paging
        self.urls: list[str] = []
        self._position: dict[Address, int] = {}
        self._guessed: set[Address] = set()
        self._seen: set[int] = set()
        self._before: int | None = None
        self._size = paging.size
        self._linked = False
        # After a short first page, only if a page is remembered there: the first page may say
        # that the list is complete.
        linked = with_page(first_url, 2) not in cached
        url: str | None = first_url
        while url is not None and address(url) not in self._position:
            self._add(url)
            page = cached.get(url)
            url = self._following(url, page.item_count, page.next_url, linked) if page else None
        self._linked = False  # the pages may have lost their links since

    def arrived(self, page: Page) -> bool:
        """Add the links of `page`; tell whether it belongs to the listing.

        Raises ForeignOrigin, and UnexpectedAnswer if the pages lead in a circle
        or are all the same.
        """
        here = self._position[address(page.url)]
        repeats = self._repeats(page)
        if repeats:
            known = page.next_url is not None and address(page.next_url) in self._position
            following = None if known else page.next_url
        else:
            following = self._following(page.url, page.item_count, page.next_url, page.linked)
        if following is None:
            self._end_at(here)
            return not repeats
        origin.require_same_origin(page.url, following, "the link to the next page", _ADVICE)
        position = self._position.get(address(following))
        if position is not None and position <= here:
            raise UnexpectedAnswer("the listing's pages lead in a circle", url=page.url)
        if position != here + 1:
            self._end_at(here)
        for url in chain((following,), self._announced(following, page.last_url)):
            if address(url) not in self._position:
                self._add(url)
        return not repeats

    def ends_before(self, url: str, error: RestError) -> bool:
        """Tell whether only the rule requested `url`, and `error` says that it does not exist."""
        return address(url) in self._guessed and is_no_page(error)

    def _following(
        self, url: str, item_count: int, next_url: str | None, linked: bool
    ) -> str | None:
        """Return the address of the page after the page at `url`; None if there is none."""
        is_first = url == self.urls[0]
        if is_first:
            # Pages may be shorter than requested if this page has a link, or the server none.
            own = item_count > 0 and (next_url is not None or not linked)
            self._size = min(item_count, self._paging.size) if own else self._paging.size
        self._linked = self._linked or linked or next_url is not None
        if next_url is not None:
            self._guessed.discard(address(next_url))
            return next_url
        number = self._paging.number(url, is_first=is_first)
        if number is None or item_count < (self._size if self._linked else 1):
            return None
        guess = with_page(url, number + 1)
        self._guessed.add(address(guess))
        return guess

    def _announced(self, following: str, last: str | None) -> Iterator[str]:
        """Yield the addresses after `following` up to `last`; none if `last` is known already.

        Every page announces the last page; adding the pages between each time would take
        quadratic time.
        """
        known = last is None or address(last) in self._position
        return iter(()) if known else pages_between(following, last)

    def _repeats(self, page: Page) -> bool:
        """Tell whether a page that only the rule requested repeats an earlier page.

        Raises UnexpectedAnswer if a linked page does so.
        """
        unnamed = tuple(item.payload for item in page.rejected if item.id is None)
        held = tuple(dict.fromkeys(page.ids)), page.skipped_ids, unnamed
        content = hash(held) if any(held) else None
        guessed = address(page.url) in self._guessed
        repeats = content is not None and content in (self._seen if guessed else {self._before})
        if repeats and not guessed:
            raise UnexpectedAnswer("the server sends the same page for each number", url=page.url)
        self._before = content
        if content is not None:
            self._seen.add(content)
        return repeats

    def _end_at(self, position: int) -> None:
        """Remove the addresses after `position`."""
        for url in self.urls[position + 1 :]:
            del self._position[address(url)]
        del self.urls[position + 1 :]

    def _add(self, url: str) -> None:
        if len(self.urls) >= MAX_PAGES:
            raise UnexpectedAnswer(f"the listing has more than {MAX_PAGES:,} pages", url=url)
        self._position[address(url)] = len(self.urls)
        self.urls.append(url)


def is_no_page(error: RestError) -> bool:
    """Tell whether `error` is a server's answer to a request beyond the last page."""
    return error.status in _NO_PAGE
