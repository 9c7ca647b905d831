"""Addresses of pages: reads page numbers, and makes the addresses of other pages. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

_PAGE = re.compile(r"([?&]page=)\d+")


@lru_cache(maxsize=64)
def page_number(url: str) -> int | None:
    """Return the `page` parameter of a URL; None if it has no numeric one."""
    text = dict(parse_qsl(urlsplit(url).query)).get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# Path and parameters in order: the same page, however its address is written.
Address = tuple[str, tuple[tuple[str, str], ...]]


@lru_cache(maxsize=64)  # each address is looked at several times
def address(url: str) -> Address:
    parts = urlsplit(url)
    return parts.path, tuple(sorted(parse_qsl(parts.query)))


def with_page(url: str, number: int) -> str:
    """Return `url`, as the server wrote it, with another page number."""
    replaced, times = _PAGE.subn(rf"\g<1>{number}", url)
    if times:
        return replaced
    return f"{url}{'&' if '?' in url else '?'}page={number}"


def pages_between(next_url: str, last_url: str | None) -> Iterator[str]:
    """Yield the addresses after `next_url` up to `last_url`, if only their page numbers differ."""
    first, last = page_number(next_url), last_url and page_number(last_url)
    if not first or not last or last_url is None:
        return
    if address(with_page(next_url, 0)) == address(with_page(last_url, 0)):
        for number in range(first + 1, last + 1):
            yield with_page(next_url, number)
