"""The paging of a forge's lists, as a value. No I/O here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sync.forges.page_address import page_number, with_page


@dataclass(frozen=True, slots=True)
class Paging:
    """The paging of a forge's lists.

    A page has at most `size` items, requested by the parameter `size_name`; a server may
    send fewer. With `numbered`, the parameter `page` leads to any page; otherwise only links
    lead to pages.
    """

    size: int
    size_name: str
    numbered: bool = True

    @property
    def query(self) -> dict[str, str]:
        """The parameter for the largest pages."""
        return {self.size_name: str(self.size)}

    @property
    def sizes(self) -> tuple[int, ...]:
        """The possible sizes of a page, the largest first: whole, half, quarter."""
        halves = [self.size]
        while len(halves) < 3 and halves[-1] % 2 == 0:
            halves.append(halves[-1] // 2)
        return tuple(halves)

    def number(self, url: str, *, is_first: bool = False) -> int | None:
        """Return the number of the page at `url`; None without a number. The first page has 1."""
        return (page_number(url) or (1 if is_first else None)) if self.numbered else None

    def is_whole(self, url: str) -> bool:
        """Tell whether `url` requests a page of full size."""
        return self._size_in.search(url) is not None

    def pieces(self, url: str, size: int) -> list[str]:
        """Return the addresses of the pages of `size` that together are the page at `url`."""
        pieces = self.size // size
        first = ((page_number(url) or 1) - 1) * pieces + 1
        smaller = self._size_in.sub(rf"\g<1>{size}", url)
        return [with_page(smaller, number) for number in range(first, first + pieces)]

    @property
    def _size_in(self) -> re.Pattern[str]:  # compiled once: `re` keeps it
        return re.compile(rf"([?&]{re.escape(self.size_name)}=){self.size}(?=&|$)")
