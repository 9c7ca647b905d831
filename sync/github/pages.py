"""Fetching the pages of a listing: whole, or in pieces where the server cannot give them whole.

GitHub ends an answer that takes it longer than ten seconds with a 5xx. What
fails again and again as a page of 100 is asked for as two of 50, then as four
of 25: the page stays the same to whoever reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Protocol, TypeVar

from msgspec.structs import replace as replaced

from sync.errors import RestError, ServerError, UnexpectedAnswer
from sync.github.answers import CachedPage, Page, Sieve, decode_page
from sync.github.listing import page_number, with_page
from sync.github.protocol import PER_PAGE
from sync.github.records import Item, Rejected
from sync.loggers import get_logger
from sync.rest import Response

Found = TypeVar("Found", Item, Rejected)

log = get_logger("sync.github")

_SMALLER = {PER_PAGE: 50, 50: 25}
# How often the server may fail to give pages of a size before smaller ones are tried.
_PATIENCE = {PER_PAGE: 3, 50: 2}
_SIZE = re.compile(rf"([?&]per_page=){PER_PAGE}(?=&|$)")


class Fetch(Protocol):
    """`RestClient.fetch`."""

    def __call__(
        self,
        path: str,
        decode: Callable[[Response], Page],
        *,
        headers: Mapping[str, str] | None = None,
        give_up: Callable[[RestError, int], bool] | None = None,
    ) -> Page: ...


class Pages:
    """The pages of one listing, by their address. May be called from several threads.

    `known` are those remembered, by address. A page's key is `prefix` and its
    address. `sieve` says what may stand on a page.
    """

    def __init__(
        self, fetch: Fetch, known: Mapping[str, CachedPage], prefix: str, sieve: Sieve
    ) -> None:
        self._fetch = fetch
        self._known = known
        self._prefix = prefix
        self._sieve = sieve
        self._size = PER_PAGE
        # Whether the server's pages are of a size of its own: then their numbers do not tell
        # what is on them, and pieces would be of another part of the list.
        self._odd = any(_is_odd(page.item_count, page.next_url) for page in known.values())

    def __call__(self, url: str) -> Page:
        """Return the page at `url`. Raises RestErrors."""
        divisible = _SIZE.search(url) is not None and page_number(url) is not None
        # One that is remembered may be as it was, which costs the server little.
        size = self._size if divisible and not self._odd and url not in self._known else PER_PAGE
        while True:
            try:
                return self._whole(url) if size == PER_PAGE else self._in_pieces(url, size)
            except ServerError:
                if not divisible or self._odd or size not in _SMALLER:
                    raise
                size = self._shrunk(_SMALLER[size])

    def _shrunk(self, size: int) -> int:
        """Ask for no larger pages than `size` from now on; return what is asked for."""
        if size < self._size:
            self._size = size
            log.warning("page.divided", per_page=size)
        return self._size

    def _whole(self, url: str) -> Page:
        page = self._get(url, PER_PAGE, self._known.get(url))
        self._odd = self._odd or _is_odd(page.item_count, page.next_url)
        return page

    def _in_pieces(self, url: str, size: int) -> Page:
        pieces: list[Page] = []
        for address in addresses(url, size):
            piece = self._get(address, size, None)
            if piece.item_count != size and (piece.next_url or piece.item_count > size):
                raise UnexpectedAnswer(
                    f"asked for {size} repositories, got {piece.item_count} and more to follow; "
                    "so the list cannot be asked for in smaller pages, and whole ones fail",
                    url=url,
                )
            pieces.append(piece)
            if piece.next_url is None and piece.item_count < size:
                break
        return joined(url, self._prefix + url, pieces, size)

    def _get(self, url: str, size: int, known: CachedPage | None) -> Page:
        patience = _PATIENCE.get(size)

        def give_up(error: RestError, attempt: int) -> bool:
            if patience is None or self._odd:
                return False
            return isinstance(error, ServerError) and attempt >= patience

        return self._fetch(
            url,
            lambda response: decode_page(response, url, self._prefix + url, known, self._sieve),
            headers={"If-None-Match": known.etag} if known else None,
            give_up=give_up,
        )


def _is_odd(item_count: int, next_url: str | None) -> bool:
    return item_count != PER_PAGE and next_url is not None


def addresses(url: str, size: int) -> list[str]:
    """Return the addresses of pages of `size` that hold together what the page at `url` holds."""
    pieces = PER_PAGE // size
    first = ((page_number(url) or 1) - 1) * pieces + 1
    smaller = _SIZE.sub(rf"\g<1>{size}", url)
    return [with_page(smaller, number) for number in range(first, first + pieces)]


def joined(url: str, key: str, pieces: Sequence[Page], size: int) -> Page:
    """Return the page at `url`, made of its pieces of `size`; it has no ETag."""
    last = pieces[-1]
    announced = last.last_url and page_number(last.last_url)
    return Page(
        url=url,
        key=key,
        etag=None,
        not_modified=False,
        item_count=sum(piece.item_count for piece in pieces),
        next_url=with_page(url, (page_number(url) or 1) + 1) if last.next_url else None,
        last_url=with_page(url, ceil(announced * size / PER_PAGE)) if announced else None,
        ids=[id_ for piece in pieces for id_ in piece.ids],
        items=_placed((piece.items for piece in pieces), size),
        rejected=_placed((piece.rejected for piece in pieces), size),
        skipped_ids=tuple(id_ for piece in pieces for id_ in piece.skipped_ids),
        sifted=pieces[0].sifted,
        replaced=sum(piece.replaced for piece in pieces),
        left_out=max(piece.left_out for piece in pieces),
        size=sum(piece.size for piece in pieces),
    )


def _placed(found: Iterable[Iterable[Found]], size: int) -> tuple[Found, ...]:
    """Return what was found on pieces of `size`, with its positions on the whole page."""
    return tuple(
        replaced(each, position=number * size + each.position)
        for number, piece in enumerate(found)
        for each in piece
    )
