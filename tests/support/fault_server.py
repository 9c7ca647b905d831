"""A server that says exactly the bytes it is told to, and goes wrong where it is told to.

    with FaultServer(answer(503), cut_after(answer(body=b"{}"), 10), answer()) as server:
        ...ask server.url...
    assert len(server.requests) == 3

Each request is answered by the next of the script; the last one answers all
that follow. An answer is bytes to send, or a function that is given the Peer.
A connection stays open if the bytes have a Content-Length and do not say
`Connection: close`, or if the function returns True.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

PATIENCE = 15.0  # seconds after which anything here gives up waiting


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire; header names in lower case."""

    raw: bytes
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, number: int, closing: threading.Event) -> None:
        self.number = number
        self._sock = sock
        self._closing = closing
        self._buffer = b""
        self.received: Received | None = None  # what it asked last

    def send(self, data: bytes) -> None:
        """Send all of `data`; quietly nothing if the client has gone."""
        with contextlib.suppress(OSError):
            self._sock.sendall(data)

    def drip(self, data: Iterable[bytes], interval: float = 0.05) -> None:
        """Send piece after piece, an interval apart, until the client goes or the server closes."""
        for piece in data:
            try:
                self._sock.sendall(piece)
            except OSError:
                return
            if self._closing.wait(interval):
                return

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Speak TLS from here on. Raises OSError if the client does not want to."""
        self._sock = context.wrap_socket(self._sock, server_side=True)

    def close(self) -> None:
        self._sock.close()

    @property
    def is_closed(self) -> bool:
        return self._sock.fileno() < 0

    def shut_down(self) -> None:
        """Wake whoever waits for the other end."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)

    def hold(self) -> None:
        """Say nothing until the client goes away or the server closes."""
        with contextlib.suppress(OSError):
            while self._sock.recv(65536):
                pass

    def reset(self) -> None:
        """Break the connection off with a TCP reset."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def receive(self) -> Received | None:
        """Read one whole request; None if the client has gone."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        while len(rest) < length:
            if not self._more():
                return None
            rest = self._buffer.partition(b"\r\n\r\n")[2]
        body, self._buffer = rest[:length], rest[length:]
        raw = head + b"\r\n\r\n" + body
        self.received = Received(raw, method, target, headers, body, self.number)
        return self.received

    def _more(self) -> bool:
        try:
            data = self._sock.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


Talk = Callable[[Peer], "bool | None"]
Answer = bytes | Talk


def answer(
    status: int = 200,
    body: bytes | Any = b"{}",
    headers: Mapping[str, str] | None = None,
    *,
    length: int | None = None,
) -> bytes:
    """Return an answer as bytes; a body that is not bytes is sent as JSON.

    `length` is what Content-Length says (the truth if None, nothing if -1).
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    if length != -1:
        sent["Content-Length"] = str(len(data) if length is None else length)
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode("latin-1") + data


def after(event: threading.Event, then: bytes) -> Talk:
    """Return an answer that is `then`, once `event` is set."""

    def talk(peer: Peer) -> bool:
        event.wait(PATIENCE)
        peer.send(then)
        return True

    return talk


def drip(head: bytes, drop: bytes) -> Talk:
    """Return an answer that is `head`, and then `drop` after `drop`: never silent, never done."""

    def talk(peer: Peer) -> None:
        peer.send(head)
        peer.drip(itertools.repeat(drop, 200))

    return talk


def silence_after(head: bytes) -> Talk:
    """Return an answer that is `head`, and then nothing, on a connection that stays open."""

    def talk(peer: Peer) -> None:
        peer.send(head)
        peer.hold()

    return talk


def tunnel(context: ssl.SSLContext) -> Talk:
    """Return a proxy's answer to CONNECT; what is asked for next comes by TLS, to the same script.

    So one server is a proxy, and whatever is behind it.
    """

    def talk(peer: Peer) -> bool:
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            peer.start_tls(context)
        except OSError:  # such as an authority that the client does not believe
            return False
        return True

    return talk


class FaultServer:
    """Listens on a free port of 127.0.0.1 until the `with` block ends.

    `talk` takes over each connection before anything is read (for what is not
    HTTP), and with a `context` all of it is TLS. `requests` are those received
    so far, `connections` their number.
    """

    def __init__(
        self, *script: Answer, talk: Talk | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._script = script or (answer(),)
        self._talk, self._context = talk, context
        self._closing = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._peers: list[Peer] = []
        self.requests: list[Received] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        # shutdown() of a listening socket wakes accept() on Linux only; a connection does anywhere.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        self._threads[0].join(PATIENCE)
        self._listener.close()
        for peer in self._peers:
            peer.shut_down()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread of the fault server did not end"

    def wait_for_requests(self, count: int) -> None:
        """Return once `count` requests have been received in all."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)
        assert arrived, f"{len(self.requests)} of {count} requests arrived"

    @property
    def request(self) -> Received:
        """The only request there was."""
        (only,) = self.requests
        return only

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._closing.is_set():
                sock.close()
                return
            self.connections += 1
            sock.settimeout(PATIENCE)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(sock, self.connections, self._closing)
            self._peers.append(peer)
            self._start(self._serve, peer)

    def _serve(self, peer: Peer) -> None:
        with contextlib.closing(peer):
            if self._context is not None:
                try:
                    peer.start_tls(self._context)
                except OSError:
                    return
            if self._talk is not None:
                self._talk(peer)
                return
            while (received := peer.receive()) is not None:
                with self._changed:
                    number = min(len(self.requests), len(self._script) - 1)
                    self.requests.append(received)
                    self._changed.notify_all()
                if not say(self._script[number], peer):
                    return


def say(reply: Answer, peer: Peer) -> bool:
    """Send an answer; tell whether the connection stays open."""
    if not isinstance(reply, bytes):
        return reply(peer) is True
    peer.send(reply)
    head = reply.partition(b"\r\n\r\n")[0].lower()
    return b"content-length:" in head and b"connection: close" not in head
