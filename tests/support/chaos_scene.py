"""What a fault is made of: a request, the answer that it should get, and the bytes of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.support.fault_server import Received


def _compact(items: list[Any]) -> bytes:
    return json.dumps(items, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer; `headers` do not tell of its length."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def having(self, *more: tuple[str, str], without: tuple[str, ...] = ()) -> Reply:
        """Return the same with more headers; those of the names in `without` are dropped."""
        kept = [pair for pair in self.headers if pair[0].lower() not in without]
        return replace(self, headers=(*kept, *more))

    def listing(self, items: list[Any]) -> Reply:
        """Return the same answer with another list, and no ETag, which would not be its own."""
        return replace(self.having(without=("etag",)), body=_compact(items))

    def wire(self, length: int | None = None) -> bytes:
        """Return the bytes; `length` is what they say theirs is, the truth if None."""
        pairs = list(self.headers)
        if self.status != 304:
            pairs.append(("Content-Length", str(len(self.body) if length is None else length)))
        return self.head(pairs) + (b"" if self.status == 304 else self.body)

    def chunked(self, size: int) -> bytes:
        """Return the bytes of the same in chunks."""
        chunks = [self.body[at : at + size] for at in range(0, len(self.body), size)]
        framed = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")]
        return self.head([*self.headers, ("Transfer-Encoding", "chunked")]) + b"".join(framed)

    def head(self, pairs: list[tuple[str, str]]) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{n}: {v}" for n, v in pairs), "", ""]
        return "\r\n".join(lines).encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A request, the true answer, and what else a fault may need.

    `other` asks the sandbox for another target. `earlier` are answers to the same request before,
    `foreign` is the address of another origin. `refuse` refuses connections for a moment.
    """

    received: Received
    true: Reply
    rng: Random
    earlier: tuple[Reply, ...]
    foreign: str
    other: Callable[[str], Reply]
    refuse: Callable[[], None]

    @property
    def lists(self) -> bool:
        """Whether it is a page of a listing, as it is now."""
        return self.received.target.startswith("/user/repos") and self.true.status == 200

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.received.headers
