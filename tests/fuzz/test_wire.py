"""Whatever bytes a server sends: an answer, or an error of ours, and nothing after that is odd."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync.rest import Response, RetryPolicy
from tests.conftest import TOKEN
from tests.fuzz.checks import check_page
from tests.rest.helpers import ONCE, QUICK, assert_only_ours
from tests.support.examples import examples
from tests.support.fault_server import FaultServer, Peer
from tests.support.inside.core import RestError
from tests.support.inside.github import GitHubClient, Limits


class Wire:
    """A server that sends the bytes it is given, hangs up, and a client of it that asks once."""

    def __init__(self) -> None:
        self.bytes = b""
        self.server = FaultServer(self._say)
        self.client = GitHubClient(token=TOKEN, api_url=self.server.url, retry=ONCE, timeout=20)

    def _say(self, peer: Peer) -> None:
        peer.send(self.bytes)

    def ask(self, sent: bytes, retry: RetryPolicy = ONCE) -> Response | RestError:
        """Return what the client makes of an answer of these bytes."""
        self.bytes, self.client.retry = sent, retry
        self.client.limits = Limits()  # nothing known of before
        try:
            return self.client.get("/user/repos")
        except RestError as error:
            failure = error
        assert_only_ours(failure)
        assert TOKEN not in str(failure)
        assert str(failure).isprintable()
        return failure


@pytest.fixture(scope="module")
def wire() -> Iterator[Wire]:
    wire = Wire()
    with wire.server, wire.client:
        yield wire


NAMES = st.sampled_from(
    (
        *(
            b"Content-Length",
            b"Content-Type",
            b"Content-Encoding",
            b"Transfer-Encoding",
            b"Location",
        ),
        *(b"Connection", b"Set-Cookie", b"Link", b"Retry-After", b"Date", b"ETag", b"Trailer"),
        *(b"X-RateLimit-Remaining", b"X-RateLimit-Reset", b"X-RateLimit-Limit", b"X-GitHub-SSO"),
        *(
            b"X-OAuth-Scopes",
            b"Sunset",
            b"Deprecation",
            b"Upgrade",
            b"Keep-Alive",
            b"X-GitHub-Request-Id",
        ),
    )
)
COOKIE = b'a=b; Expires=Thu, 99-Foo-99999 99:99:99; Max-Age=x; Version=z; Port="p"'
ODD_VALUES = (
    *(b"", b"0", b"5", b"-1", b"99999999999999999999", b"1, 2", b"0x5", b"\xb2", b"1e3", b"+5"),
    *(b"gzip", b"GZIP", b"deflate", b"br", b"zstd", b"gzip, gzip", b"identity", b"x" * 300),
    *(b"chunked", b"chunked, chunked", b"Chunked", b"close", b"keep-alive", b"h2c", b"120"),
    *(
        COOKIE,
        b"=; ;=",
        b"a=\xff",
        b"text/html; charset=\xff",
        b"text/html; charset=utf-7; charset",
    ),
    *(b"\x00", b"\x1b]0;x\x07", b"\xe9", b"Sun, 01 Mar 2026 12:00:00 GMT", b"required; url=\x7f"),
    *(b"/user/repos", b"//evil.example/", b"https://evil.example/", b"http://[", b"?", b"http:"),
    *(b'<x>; rel="next"', b"5 5", b"application/json"),
)
HEADERS = st.lists(
    st.tuples(
        NAMES | st.binary(max_size=8),
        st.sampled_from([b": ", b":", b" : ", b""]),
        st.sampled_from(ODD_VALUES) | st.binary(max_size=12),
        st.sampled_from([b"\r\n"] * 4 + [b"\n", b"\r", b"\r\n ", b""]),
    ).map(b"".join),
    max_size=5,
).map(b"".join)
STATUS_LINES = st.one_of(
    st.sampled_from(
        [200, 200, 204, 301, 302, 304, 400, 401, 403, 404, 422, 429, 451, 500, 503]
    ).map(b"HTTP/1.1 %d Status\r\n".__mod__),
    st.sampled_from(
        [
            *(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 101 Upgrade\r\n", b"HTTP/1.0 200\r\n"),
            *(b"HTTP/2 200 OK\r\n", b"HTTP/1.1 999 x\r\n", b"HTTP/1.1 -1 x\r\n", b"ICY 200 OK\r\n"),
            *(
                b"HTTP/1.1 200 \x1b[31m\xff\r\n",
                b"HTTP/1.1 2\xb20 x\r\n",
                b"HTTP/0.9\r\n",
                b"\r\n",
                b"",
            ),
        ]
    ),
    st.binary(max_size=12),
)
LISTS = st.sampled_from(
    [b"[]", b"{}", b"null", b'[{"id":1}]', b"", b'{"message":"\x1b[31m","block":1}']
)
CONTENT = LISTS | st.binary(max_size=40)
BODIES = st.one_of(
    CONTENT,
    CONTENT.map(gzip.compress),
    CONTENT.map(zlib.compress),
    CONTENT.map(gzip.compress).map(lambda packed: packed[: len(packed) // 2]),
    CONTENT.map(lambda body: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
    st.sampled_from(
        [b"-5\r\nabc\r\n0\r\n\r\n", b"zz\r\n", b"5;x=y\r\nab", b"ffffffffffffffff\r\nx"]
    ),
)


@pytest.mark.matrix("http.cut-short", "http.not-json", "always.secret")
@examples(250)
@given(sent=st.tuples(STATUS_LINES, HEADERS, st.just(b"\r\n"), BODIES).map(b"".join))
@example(sent=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"[]")[:-9])
def test_whatever_comes_over_the_wire_is_an_answer_or_an_error_of_ours(
    wire: Wire, sent: bytes
) -> None:
    told = wire.ask(sent)
    if isinstance(told, Response):
        check_page(told.body)
        assert isinstance(told.links, dict)


@examples(50)
@given(status=st.sampled_from([200, 403, 429]), headers=HEADERS, body=CONTENT)
def test_an_odd_answer_does_not_spoil_the_next_one(
    wire: Wire, status: int, headers: bytes, body: bytes
) -> None:
    wire.ask(b"HTTP/1.1 %d Status\r\n%s\r\n\r\n%s" % (status, headers, body))
    # The connection that the odd one came by may be found to be broken only when it is used.
    good: Any = wire.ask(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", QUICK)
    assert good.body == b"[]"
