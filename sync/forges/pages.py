"""Fetches the pages of a listing, in pieces where the server cannot deliver a whole page.

A server may end an answer that takes it long with a 5xx, as GitHub does after ten seconds. A
whole page that fails repeatedly is requested as two halves, then as four quarters. Readers get
the same page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Protocol, TypeVar

from msgspec.structs import replace as replaced
from structlog import get_logger

from sync.core import origin
from sync.core.errors import RestError, ServerError, UnexpectedAnswer
from sync.forges.answers import CachedPage, Page
from sync.forges.page_address import page_number, with_page
from sync.forges.page_queue import is_no_page
from sync.forges.paging import Paging
from sync.forges.records import Item, Rejected
from sync.rest import Response

Found = TypeVar("Found", Item, Rejected)

log = get_logger("sync.github")

# Failures of pages of a size, the largest first, before smaller pages are requested.
_PATIENCE = (3, 2)


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


Decode = Callable[[Response, str, str, CachedPage | None], Page]


class Pages:
    """The pages of the listing that begins at `first`, by their address; safe in threads.

    `decode` makes a page of an answer, the page's address and key, and the remembered page.
    `known` are remembered pages, by address. A page's key is `prefix` and its address. With
    `rewrite_links`, links to another origin are followed at this one.
    """

    def __init__(
        self,
        fetch: Fetch,
        decode: Decode,
        first: str,
        known: Mapping[str, CachedPage],
        prefix: str,
        *,
        paging: Paging,
        rewrite_links: bool = False,
    ) -> None:
        self._rewrite_links = rewrite_links
        self._fetch = fetch
        self._first = first
        self._prefix = prefix
        self._decode = decode
        self._paging = paging
        self._sizes = paging.sizes
        self._patience = dict(zip(self._sizes[:-1], _PATIENCE, strict=False))
        self._size = paging.size
        # True if a page had another size than `per_page`: then page N cannot be split into
        # pages 2N-1 and 2N.
        self._odd = any(self._is_odd(page.item_count, page.next_url) for page in known.values())
        self._known = {url: page for url, page in known.items() if not self._hides(url, page)}

    def __call__(self, url: str) -> Page:
        """Return the page at `url`. Raises RestErrors."""
        whole = self._paging.size
        divisible = self._paging.is_whole(url) and self._is_numbered(url)
        # A remembered page is requested whole: it may be unchanged, which costs the server little.
        size = self._size if divisible and not self._odd and url not in self._known else whole
        while True:
            try:
                return self._whole(url) if size == whole else self._in_pieces(url, size)
            except ServerError:
                if not divisible or self._odd or size == self._sizes[-1]:
                    raise
                size = self._shrunk(self._sizes[self._sizes.index(size) + 1])

    def _is_numbered(self, url: str) -> bool:
        return self._paging.number(url, is_first=url == self._first) is not None

    def _hides(self, url: str, page: CachedPage) -> bool:
        """Tell whether a 304 of `page` could hide new repositories after it.

        Only the link leads on from a page without a number, and a 304 may have no link.
        """
        full = self._odd or page.item_count >= self._paging.size
        return full and page.next_url is None and not self._is_numbered(url)

    def _shrunk(self, size: int) -> int:
        """Request pages of at most `size` from now on; return the present size."""
        if size < self._size:
            self._size = size
            log.warning("page.divided", per_page=size)
        return self._size

    def _whole(self, url: str) -> Page:
        page = self._get(url, self._paging.size, self._known.get(url))
        self._odd = self._odd or self._is_odd(page.item_count, page.next_url)
        return page

    def _in_pieces(self, url: str, size: int) -> Page:
        pieces: list[Page] = []
        for address in self._paging.pieces(url, size):
            try:
                piece = self._get(address, size, None)
            except RestError as error:
                if pieces and pieces[-1].next_url is None and is_no_page(error):
                    break
                raise
            if _is_misplaced(piece, pieces, size):
                raise UnexpectedAnswer(
                    f"whole pages fail, and a smaller page of {size} repositories has "
                    f"{piece.item_count} and a link to more, or repeats the one before",
                    url=url,
                )
            pieces.append(piece)
            ends = piece.next_url is None and piece.item_count < size
            if ends and (piece.linked or not piece.item_count):
                break  # without links, only an empty page is certainly the end
        return joined(url, self._prefix + url, pieces, size, self._paging)

    def _get(self, url: str, size: int, known: CachedPage | None) -> Page:
        patience = self._patience.get(size)

        def give_up(error: RestError, attempt: int) -> bool:
            if patience is None or self._odd:
                return False
            return isinstance(error, ServerError) and attempt >= patience

        def decode(response: Response) -> Page:
            page = self._decode(response, url, self._prefix + url, known)
            if not self._rewrite_links:
                return page
            following = page.next_url and origin.brought_home(url, page.next_url)
            last = page.last_url and origin.brought_home(url, page.last_url)
            return replace(page, next_url=following, last_url=last)

        return self._fetch(
            url,
            decode,
            headers={"If-None-Match": known.etag} if known else None,
            give_up=give_up,
        )

    def _is_odd(self, item_count: int, next_url: str | None) -> bool:
        return item_count != self._paging.size and next_url is not None


def _is_misplaced(piece: Page, before: Sequence[Page], size: int) -> bool:
    """Tell whether a piece of `size` is not the part of the list that its number means."""
    follows = before[-1] if before else None
    return (
        piece.item_count > size
        or (piece.next_url is not None and piece.item_count < size)
        or (piece.next_url is not None and page_number(piece.next_url) is None)
        or (follows is not None and piece.item_count > 0 and follows.item_count < size)
        or (follows is not None and len(piece.ids) > 0 and list(follows.ids) == list(piece.ids))
    )


def joined(url: str, key: str, pieces: Sequence[Page], size: int, paging: Paging) -> Page:
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
        last_url=with_page(url, ceil(announced * size / paging.size)) if announced else None,
        linked=any(piece.linked for piece in pieces),
        total=last.total,
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
    """Return the items of pieces of `size`, with their positions on the whole page."""
    return tuple(
        replaced(each, position=number * size + each.position)
        for number, piece in enumerate(found)
        for each in piece
    )
