"""The server itself: its clock and its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime


@dataclass(kw_only=True)
class Host:
    """The server itself. `url` is the address of the API, in all its links.

    `largest_page` is how many items of a list it gives at most, whatever is asked for.
    """

    now: Callable[[], datetime]
    url: str = ""
    enterprise: bool = False
    largest_page: int = 100
