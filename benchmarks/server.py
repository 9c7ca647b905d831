"""A local server of precomputed pages: its answers are encoded before anything is measured.

    python -m benchmarks.server COUNT

prints its address, and serves until its standard input ends. What GitHub does that
costs a client something is as GitHub does it: pages of 100, gzip, a weak ETag, 304 to
If-None-Match, Link, the headers of quotas. Nothing is checked: whoever asks is let in.

`GET /-/set?changed=1&latency=0.2` sets which state of the repositories is served, and how
many seconds each answer takes; it starts the counts anew. `GET /-/counts` tells them.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from contextlib import suppress
from email.utils import formatdate
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from benchmarks.objects import OWNER, PER_PAGE, account, pages

_LISTINGS = {"/user/repos", f"/users/{OWNER}/repos", f"/orgs/{OWNER}/repos"}
_TIME = formatdate(1_790_000_000, usegmt=True)
_COMMON = (
    "Server: github.example\r\n"
    "Cache-Control: private, max-age=60, s-maxage=60\r\n"
    "Vary: Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding\r\n"
    "X-OAuth-Scopes: repo\r\n"
    "X-Accepted-OAuth-Scopes: \r\n"
    "X-GitHub-Media-Type: github.v3; format=json\r\n"
    "X-GitHub-Api-Version-Selected: 2022-11-28\r\n"
    "X-RateLimit-Limit: 15000000\r\n"
    "X-RateLimit-Remaining: 14999000\r\n"
    "X-RateLimit-Reset: 4000000000\r\n"
    "X-RateLimit-Used: 1000\r\n"
    "X-RateLimit-Resource: core\r\n"
    "Access-Control-Expose-Headers: ETag, Link, Location, Retry-After, X-GitHub-OTP, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Used, X-RateLimit-Resource, "
    "X-RateLimit-Reset, X-OAuth-Scopes, X-Accepted-OAuth-Scopes, X-Poll-Interval\r\n"
    "Access-Control-Allow-Origin: *\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubdomains; preload\r\n"
    "X-Frame-Options: deny\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: origin-when-cross-origin, strict-origin-when-cross-origin\r\n"
    "Content-Security-Policy: default-src 'none'\r\n"
)


class Body(NamedTuple):
    """What is served at an address: the JSON, packed, and its tag."""

    packed: bytes
    tag: str

    @classmethod
    def of(cls, plain: bytes) -> Body:
        return cls(gzip.compress(plain, 6, mtime=0), sha256(plain).hexdigest())


class Served:
    """Everything that is served, and what was asked so far."""

    def __init__(self, api: str, count: int) -> None:
        self.api = api
        self.states: tuple[list[Body], list[Body]] = ([], [])
        self.bytes = 0
        for before, after in pages(api, count):
            self.bytes += len(before)
            first = Body.of(before)
            self.states[0].append(first)
            self.states[1].append(first if after is before else Body.of(after))
        user, organization = account(api, count)
        quota = {"limit": 15_000_000, "used": 0, "remaining": 15_000_000, "reset": 4_000_000_000}
        rates = {"resources": {"core": quota, "search": quota, "graphql": quota}, "rate": quota}
        self.others = {
            "/user": Body.of(user),
            f"/users/{OWNER}": Body.of(user),
            f"/orgs/{OWNER}": Body.of(organization),
            "/rate_limit": Body.of(json.dumps(rates).encode()),
        }
        self.changed = 0
        self.latency = 0.0
        self.counts = {"requests": 0, "not_modified": 0, "refused": 0}

    def answer(self, target: str, headers: dict[str, str]) -> bytes:
        """Return the whole answer to a GET."""
        address = urlsplit(target)
        query = dict(parse_qsl(address.query))
        if address.path.startswith("/-/"):
            return self._controlled(address.path, query)
        self.counts["requests"] += 1
        link = ""
        if address.path in _LISTINGS:
            body, link = self._page(address.path, query)
        else:
            body = self.others.get(address.path)
        if body is None:
            self.counts["refused"] += 1
            return _plain("404 Not Found", {"message": f"not served here: {target}"})
        if body.tag in headers.get("if-none-match", ""):
            self.counts["not_modified"] += 1
            first = f'HTTP/1.1 304 Not Modified\r\nDate: {_TIME}\r\nETag: "{body.tag}"\r\n'
            return f"{first}{link}{_COMMON}\r\n".encode()
        packed = "gzip" in headers.get("accept-encoding", "")
        sent = body.packed if packed else gzip.decompress(body.packed)
        encoding = "Content-Encoding: gzip\r\n" if packed else ""
        head = (
            f'HTTP/1.1 200 OK\r\nDate: {_TIME}\r\nETag: W/"{body.tag}"\r\n{link}{encoding}'
            "Content-Type: application/json; charset=utf-8\r\n"
            f"{_COMMON}Content-Length: {len(sent)}\r\n\r\n"
        )
        return head.encode() + sent

    def _page(self, path: str, query: dict[str, str]) -> tuple[Body | None, str]:
        if query.get("per_page") != str(PER_PAGE):
            return None, ""  # nobody is to be measured with small pages by mistake
        bodies = self.states[self.changed]
        number, last = int(query.get("page", "1")), len(bodies)
        if not 1 <= number <= last:
            return Body.of(b"[]"), ""
        near = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = (["prev"] if number > 1 else []) + (["next", "last"] if number < last else [])
        wanted += ["first"] if number > 1 else []
        links = ", ".join(
            f'<{self.api}{path}?{urlencode({**query, "page": near[rel]}, safe=",")}>; rel="{rel}"'
            for rel in wanted
        )
        return bodies[number - 1], f"Link: {links}\r\n" if links else ""

    def _controlled(self, path: str, query: dict[str, str]) -> bytes:
        if path == "/-/set":
            self.changed = int(query["changed"])
            self.latency = float(query["latency"])
            self.counts = dict.fromkeys(self.counts, 0)
        return _plain("200 OK", self.counts)


def _plain(status: str, answer: object) -> bytes:
    body = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    """One client, whose requests are answered one after the other. They have no bodies."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            answer = self._served.answer(first.split(" ")[1], headers)
            asyncio.get_running_loop().call_later(self._served.latency, self._send, answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def _main(count: int) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[Served] = loop.create_future()
    server = await loop.create_server(lambda: _Connection(ready.result()), "127.0.0.1", 0)
    api = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    served = Served(api, count)
    ready.set_result(served)
    sys.stdout.write(json.dumps({"api": api, "object": round(served.bytes / count)}) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(int(sys.argv[1])))
