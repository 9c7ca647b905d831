"""The repositories of a listing, collected page by page. No I/O here."""

from __future__ import annotations

from array import array

from sync.forges.answers import Page
from sync.forges.page_address import page_number


class ListingScan:
    """The repositories of a listing, collected page by page.

    `ids`: in the order of the listing, also of rejected items. `skipped`: ids of private
    repositories in a public listing. `unreadable`: whether an item had no id, so that it
    could be any repository. `partial`: whether GitHub left out organizations. `page_size`: the
    items of a full page, as asked for, or as the first page shows that the server gives.
    """

    def __init__(self, page_size: int) -> None:
        self.page_size = page_size
        self.ids = array("q")
        self.skipped: set[int] = set()
        self.unreadable = False
        self.items = 0
        self.announced_pages: int | None = None
        self._total: int | None = None
        self.partial = False

    def take(self, page: Page) -> None:
        """Add the next page of the listing."""
        if self.items == 0 and page.item_count and page.next_url is not None:
            self.page_size = page.item_count
        self.ids.extend(page.ids)
        self.skipped |= set(page.skipped_ids)
        self.unreadable = self.unreadable or any(item.id is None for item in page.rejected)
        self.items += page.item_count
        self.partial = self.partial or page.partial
        if page.last_url is not None:
            self.announced_pages = page_number(page.last_url) or self.announced_pages
        if page.total is not None:
            self._total = page.total

    @property
    def announced(self) -> int | None:
        """The smallest number of items that the server has announced; None without a number."""
        if self._total is not None or self.announced_pages is None:
            return self._total
        return (self.announced_pages - 1) * self.page_size + 1

    def marks_end(self, page: Page) -> bool:
        """Return whether `page` is empty after a short page, so that it only marks the end."""
        return page.item_count == 0 and self.items % self.page_size != 0
