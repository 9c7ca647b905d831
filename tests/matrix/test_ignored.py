"""Odd headers that take nothing away from an answer: nobody notices."""

from __future__ import annotations

import gzip
import itertools

import pytest

from tests.matrix.stage import RUN_FINISHED, Stage, expect
from tests.support.fault_server import Answer, answer
from tests.support.hub import ELSEWHERE, LISTING, SIZE, some_repositories

pytestmark = pytest.mark.slow

REPOSITORIES = some_repositories(7)
NEXT = {"Link": f'<{LISTING}&page=3>; rel="next"'}
PAGE = answer(200, REPOSITORIES[SIZE : 2 * SIZE], NEXT)
BODY = PAGE.partition(b"\r\n\r\n")[2]


def with_headers(*lines: bytes) -> bytes:
    """Return page 2 with these lines in front of its headers."""
    status, _, rest = PAGE.partition(b"\r\n")
    return b"\r\n".join((status, *lines, rest))


def packed(encoding: str, body: bytes) -> bytes:
    return answer(200, body, {**NEXT, "Content-Encoding": encoding})


def with_links(*links: str) -> bytes:
    return answer(200, BODY, {"Link": ", ".join((*links, NEXT["Link"]))})


HARMLESS: list[Answer] = [
    with_headers(
        *(b"X-Bytes: \xff\xfe", b"X-Folded: a\r\n b", b"X-Nul: a\0b", b"X-Empty:"),
        *(b"Date: yesterday", b"Sunset: never", b"Deprecation: maybe", b"Age: -1"),
        *(
            b"X-RateLimit-Limit: x",
            b"X-RateLimit-Remaining: -1",
            b"X-RateLimit-Reset: " + b"9" * 40,
        ),
        *(
            b"Retry-After: 5",
            b"Set-Cookie: a=b; Domain=example",
            b"Refresh: 0; url=" + ELSEWHERE.encode(),
        ),
        *(b"Location: " + ELSEWHERE.encode(), b"Keep-Alive: timeout=-1", b"Upgrade: h2c"),
        *(b"X-OAuth-Scopes: repo, \xff, <b>", b"github-authentication-token-expiration: soon"),
        *(b"X-GitHub-SSO: junk", b"Content-Type: text/html; charset=klingon"),
    ),
    with_headers(b'ETag: "\xff"'),
    PAGE.replace(b"\r\n", b"\n", 3),
    packed("gzip, gzip", gzip.compress(gzip.compress(BODY))),
    packed("gzip", gzip.compress(BODY[:99]) + gzip.compress(BODY[99:])),
    with_links("<<<>>>", f"<{ELSEWHERE}/>; rel=prev", "<http://[::1>; rel=next"),
    with_links(f"<{LISTING}&page=1>; rel=last", f"<{ELSEWHERE}/>; rel=deprecation"),
]


@pytest.mark.matrix("always.secret", "always.counts", "always.unchanged")
def test_odd_headers_of_a_good_answer_change_nothing(stage: Stage) -> None:
    for number, reply in enumerate(HARMLESS):
        stage.hub.heal()
        stage.hub.fault("page 2", itertools.repeat(reply))
        ran = stage.run("--full")
        expect(ran, "succeeded", [RUN_FINISHED], seen=7)
        assert ran.outcome["unchanged"] == (7 if number else 0)
        assert len(stage.hub.requests) == 4
    stage.assert_equals_list()
