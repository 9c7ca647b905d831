"""What can go wrong with an answer: each fault is a function of the true answer.

It returns what is said to the peer instead; true if the connection stays open behind it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from time import time
from typing import NamedTuple

from tests.support.chaos_scene import Reply, Scene
from tests.support.fault_server import Peer, Talk

HTML = b"<!DOCTYPE html><html><body><h1>\xf0\x9f\xa6\x84 Something went wrong</h1></body></html>"
AGAIN = "again=1"  # what a redirect within the origin adds to an address
_LONG = "a" * 70_000


def said(reply: Reply) -> Talk:
    """Say an answer as it is."""
    return _sent(reply.wire(), stays=True)


def _sent(data: bytes, *, stays: bool = False, resets: bool = False) -> Talk:
    def talk(peer: Peer) -> bool:
        peer.send(data)
        if resets:
            peer.reset()
        return stays

    return talk


def _part(scene: Scene, wire: bytes) -> bytes:
    """Return the bytes up to a place that is as likely to be in the head as in the body."""
    head = wire.index(b"\r\n\r\n") + 4
    return wire[: scene.rng.randrange(head if scene.rng.random() < 0.5 else len(wire))]


# The connection


def refused(scene: Scene) -> Talk:
    def talk(peer: Peer) -> bool:
        peer.reset()
        scene.refuse()
        return False

    return talk


def reset(scene: Scene) -> Talk:
    return _sent(b"", resets=True)


def closed(scene: Scene) -> Talk:
    return _sent(b"")


def cut(scene: Scene) -> Talk:
    return _sent(_part(scene, scene.true.wire()), resets=scene.rng.random() < 0.3)


def cut_in_chunks(scene: Scene) -> Talk:
    return _sent(_part(scene, scene.true.chunked(scene.rng.choice((7, 1000, 30_000)))))


def drips(scene: Scene) -> Talk:
    wire, at = scene.true.wire(), scene.rng.choice((0, 30, 400))

    def talk(peer: Peer) -> None:
        peer.send(wire[:at])
        peer.drip((wire[i : i + 1] for i in range(at, len(wire))), interval=0.1)

    return talk


def mute(scene: Scene) -> Talk:
    return Peer.hold


# The frame


def too_short_a_length(scene: Scene) -> Talk:
    length = scene.rng.randrange(len(scene.true.body) + 1)
    return _sent(scene.true.wire(length), stays=True)


def too_long_a_length(scene: Scene) -> Talk:
    return _sent(scene.true.wire(len(scene.true.body) + scene.rng.randint(1, 5000)))


def garbage(scene: Scene) -> Talk:
    return _sent(scene.rng.randbytes(scene.rng.randint(1, 3000)))


def odd_status_line(scene: Scene) -> Talk:
    first = scene.rng.choice((b"HTTP/9.9 banana", b"HTTP/1.1 99999 OK", b"ICY 200 OK", b"HTTP/1.1"))
    return _sent(first + b"\r\n" + scene.true.wire().partition(b"\r\n")[2])


def interim(scene: Scene) -> Talk:
    return _sent(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + scene.true.wire())


def half_gzip(scene: Scene) -> Talk:
    packed = gzip.compress(scene.true.body, 1)
    half = replace(scene.true, body=packed[: len(packed) // 2])
    return said(half.having(("Content-Encoding", "gzip")))


def false_gzip(scene: Scene) -> Talk:
    return said(scene.true.having(("Content-Encoding", "gzip")))


def doubled_headers(scene: Scene) -> Talk:
    return said(scene.true.having(*scene.true.headers))


def odd_headers(scene: Scene) -> Talk:
    odd = [
        ("ETag", "\xff\xfe"),
        ("Date", "tomorrow"),
        ("X-RateLimit-Remaining", "-1e9"),
        ("X-RateLimit-Reset", "9" * 40),
        ("Link", '<>; rel="next", <::>; rel=last, junk'),
        ("X-Odd", "a\r\n b"),
        ("Set-Cookie", "a=b; domain=.com"),
        ("Link", f'<{_LONG}>; rel="prev"'),
    ]
    return said(scene.true.having(scene.rng.choice(odd)))


# What is said instead


def html(scene: Scene) -> Talk:
    status = scene.rng.choice((200, 502, 503))
    return said(Reply(status=status, headers=(("Content-Type", "text/html"),), body=HTML))


def failure(scene: Scene) -> Talk:
    return said(_message(scene.rng.choice((409, 500, 502, 503, 504)), "Server Error"))


def unauthorized(scene: Scene) -> Talk:
    return said(_message(401, "Bad credentials"))


def other_shape(scene: Scene) -> Talk:
    bodies = (b"{}", b"null", b'"x"', b"12", b'{"message":"OK"}', b"[[]]", b"", b"[")
    return said(replace(scene.true.having(without=("etag",)), body=scene.rng.choice(bodies)))


def limited(scene: Scene) -> Talk:
    """A limit that lasts for a minute or an hour."""
    return _limit(
        scene,
        ([("Retry-After", "3600")], "You have exceeded a secondary rate limit."),
        ([], "You have exceeded a secondary rate limit."),
        ([("Retry-After", "soon")], "You have triggered an abuse detection mechanism."),
        ([*_SPENT, ("X-RateLimit-Reset", str(int(time()) + 3600))], "API rate limit exceeded"),
    )


def limited_briefly(scene: Scene) -> Talk:
    return _limit(
        scene,
        ([("Retry-After", "0")], "You have exceeded a secondary rate limit."),
        ([*_SPENT, ("X-RateLimit-Reset", str(int(time()) + 1))], "API rate limit exceeded"),
    )


_SPENT = ("X-RateLimit-Limit", "5000"), ("X-RateLimit-Remaining", "0")


def _limit(scene: Scene, *ways: tuple[list[tuple[str, str]], str]) -> Talk:
    headers, text = scene.rng.choice(ways)
    return said(_message(scene.rng.choice((403, 429)), text).having(*headers))


def redirected(scene: Scene) -> Talk:
    target = scene.received.target
    place = f"{target}{'&' if '?' in target else '?'}{AGAIN}"
    status = scene.rng.choice((301, 302, 307, 308))
    return said(_message(status, "Moved").having(("Location", place)))


def redirected_away(scene: Scene) -> Talk:
    place = scene.foreign + scene.received.target
    return said(_message(302, "Moved").having(("Location", place)))


def linked_away(scene: Scene) -> Talk:
    link = f'<{scene.foreign}{scene.received.target}&page=2>; rel="next"'
    return said(scene.true.having(("Link", link), without=("link", "etag")))


def _message(status: int, text: str) -> Reply:
    headers = (("Content-Type", "application/json; charset=utf-8"),)
    return Reply(status=status, headers=headers, body=json.dumps({"message": text}).encode())


# Lies


def page_repeated(scene: Scene) -> Talk:
    return said(scene.other(scene.received.target.partition("&page=")[0]))


def empty_list(scene: Scene) -> Talk:
    return said(scene.true.listing([]))


def truncated_list(scene: Scene) -> Talk:
    items = json.loads(scene.true.body)
    return said(scene.true.listing(items[: scene.rng.randint(0, len(items))]))


def odd_items(scene: Scene) -> Talk:
    items = json.loads(scene.true.body)
    for at in scene.rng.sample(range(len(items)), min(len(items), 3)):
        items[at] = scene.rng.choice((None, 7, {}, [], {"id": -1}, {**items[at], "full_name": 0}))
    return said(scene.true.listing(items))


def replayed(scene: Scene) -> Talk:
    return said(scene.rng.choice(scene.earlier or (scene.true,)))


def not_modified(scene: Scene) -> Talk:
    return said(replace(scene.true, status=304, body=b""))


class Fault(NamedTuple):
    """How likely a fault is, beside the others; `lies` is whether only a list can be so."""

    act: Callable[[Scene], Talk]
    weight: float = 1.0
    lies: bool = False


FAULTS = {
    fault.act.__name__: fault
    for fault in (
        *(Fault(act) for act in (refused, reset, closed, cut_in_chunks, garbage, interim)),
        *(Fault(act) for act in (too_short_a_length, too_long_a_length, odd_status_line)),
        *(Fault(act) for act in (half_gzip, false_gzip, doubled_headers, odd_headers)),
        *(Fault(act, 0.2) for act in (drips, mute)),
        *(Fault(act, 2) for act in (cut, html, failure, redirected)),
        *(Fault(act, 0.5) for act in (unauthorized, other_shape, redirected_away)),
        *(Fault(act, 0.3) for act in (limited, limited_briefly)),
        *(Fault(act, 2, True) for act in (page_repeated, empty_list, truncated_list, odd_items)),
        *(Fault(act, 2, True) for act in (replayed, linked_away)),
        Fault(not_modified),
    )
}
