"""What comes before the answer: it is read past, as RFC 9110 (15.2) asks of every client."""

from __future__ import annotations

import pytest

from tests.rest.conftest import Connect
from tests.support.fault_server import FaultServer, Peer, answer

GOOD = answer(200, {"good": True})


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 3,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nConnection: close\r\n\r\n",
    ],
    ids=["100", "102", "103"],
)
def test_what_comes_before_the_answer_is_read_past(connect: Connect, interim: bytes) -> None:
    def hinted(peer: Peer) -> bool:
        peer.send(interim + answer(200, {"late": True}))
        return True

    with FaultServer(hinted, GOOD) as server:
        client = connect(server.url)
        assert client.get("/x").json() == {"late": True}
        assert client.get("/y").json() == {"good": True}
    assert [request.connection for request in server.requests] == [1, 1]
    assert client.stats.requests == 2


def test_an_answer_in_another_protocol_is_asked_for_again(connect: Connect) -> None:
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    with FaultServer(switched, GOOD) as server:
        assert connect(server.url).get("/x").json() == {"good": True}
    assert [request.connection for request in server.requests] == [1, 2]
