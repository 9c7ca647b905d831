"""A request is cut at its deadline and at a stop, whatever its connection is made of."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.rest.conftest import Connect
from tests.rest.helpers import ONCE, assert_only_ours
from tests.support.certificates import certify, server_context
from tests.support.fault_server import PATIENCE, FaultServer, Peer, answer
from tests.support.inside.core import Interrupted, TimedOut
from tests.support.relays import Relay, connect_proxy

NAME = "api.example.com"  # which a proxy alone can lead to
GOOD = answer(200, {"good": True})
WAYS = [("http", None), ("https", None), ("https", "http"), ("https", "https")]
Route = Callable[[FaultServer], str]


def drip_body(peer: Peer) -> None:
    peer.send(answer(200, b"", length=100_000))
    peer.drip(itertools.repeat(b" ", 400))


def drip_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n")
    peer.drip(itertools.repeat(b"X: y\r\n", 400))


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders with certificates, for this machine and for NAME."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("localhost", NAME)}
    for name, folder in folders.items():
        certify(folder, name)
    return folders


@pytest.fixture(params=WAYS, ids=["plain", "tls", "tls-by-proxy", "tls-in-tls"])
def route(
    request: pytest.FixtureRequest,
    certified: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Route]:
    """Yields what leads to a server, by TLS and by a proxy or not, and returns its address."""
    scheme, proxy_scheme = request.param
    authorities = tmp_path / "authorities.pem"
    authorities.write_text("".join((f / "ca.pem").read_text() for f in certified.values()))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authorities))
    context = server_context(certified["localhost" if proxy_scheme is None else NAME])
    with ExitStack() as stack:

        def lead(server: FaultServer) -> str:
            if scheme == "http":
                return server.url
            front = stack.enter_context(Relay(lambda _: server.port, context))
            if proxy_scheme is None:
                return f"https://localhost:{front.port}"
            outer = server_context(certified["localhost"]) if proxy_scheme == "https" else None
            proxy = stack.enter_context(
                Relay(lambda client: connect_proxy(client) and front.port, outer)
            )
            monkeypatch.setenv("https_proxy", f"{proxy_scheme}://localhost:{proxy.port}")
            return f"https://{NAME}"

        yield lead


@pytest.mark.parametrize("fault", [drip_body, drip_headers])
def test_an_answer_that_drips_is_cut_on_every_kind_of_connection(
    connect: Connect, route: Route, fault: Callable[[Peer], None]
) -> None:
    with FaultServer(fault, GOOD) as server:
        client = connect(route(server), timeout=1.5)
        assert client.get("/x").json() == {"good": True}
    assert len(server.requests) == 2


def test_a_stop_ends_an_answer_that_drips_on_every_kind_of_connection(
    connect: Connect, route: Route
) -> None:
    stop = threading.Event()

    def stop_and_drip(peer: Peer) -> None:
        stop.set()
        drip_body(peer)

    with FaultServer(stop_and_drip) as server:
        with pytest.raises(Interrupted) as caught:
            connect(route(server), timeout=300.0, stop=stop).get("/x")
        assert_only_ours(caught.value)
    assert len(server.requests) == 1


@pytest.mark.usefixtures("silent_name_servers")
def test_name_servers_that_do_not_answer_are_named(connect: Connect) -> None:
    with pytest.raises(TimedOut) as caught:
        connect("https://api.example.com", timeout=0.3, retry=ONCE).get("/x")
    assert "the name servers have not answered within 0.3 s" in str(caught.value)
    assert_only_ours(caught.value)


def test_a_stop_is_heard_while_name_servers_do_not_answer(
    connect: Connect, silent_name_servers: threading.Event
) -> None:
    stop = threading.Event()

    def stop_it() -> None:
        silent_name_servers.wait(PATIENCE)
        stop.set()

    setter = threading.Thread(target=stop_it)
    setter.start()
    with pytest.raises(Interrupted):
        connect("https://api.example.com", timeout=300.0, stop=stop).get("/x")
    setter.join()


def test_a_client_that_is_closed_leaves_name_servers_alone(
    connect: Connect, silent_name_servers: threading.Event
) -> None:
    client = connect("https://api.example.com", timeout=300.0)
    ended: list[BaseException] = []

    def ask() -> None:
        try:
            client.get("/x")
        except Interrupted as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    silent_name_servers.wait(PATIENCE)
    client.close()
    asking.join(PATIENCE)
    assert len(ended) == 1
