"""What may stand between a client and a server: TLS, and a proxy reached with or without it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.fault_server import PATIENCE

Welcome = Callable[[socket.socket], int]


def connect_proxy(sock: socket.socket) -> int:
    """Do what a proxy does with CONNECT; return the port that was asked for."""
    asked = b""
    while not asked.endswith(b"\r\n\r\n"):
        asked += sock.recv(1)
    sock.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
    return int(asked.split()[1].rpartition(b":")[2])


class Relay:
    """Passes on what a client and a server say to each other, until the `with` block ends.

    `welcome` speaks with a client first, and says at which port its server is. The client
    speaks TLS if there is a `context`.
    """

    def __init__(self, welcome: Welcome, context: ssl.SSLContext | None = None) -> None:
        self._welcome = welcome
        self._context = context
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for sock in (self._listener, *self._sockets):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a thread of the relay did not end"
        for sock in (self._listener, *self._sockets):
            sock.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock = self._listener.accept()[0]
                self._sockets.append(sock)
                self._start(self._serve, sock)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):  # TLS or not, they hang up as they like
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            server = socket.create_connection(("127.0.0.1", self._welcome(client)))
            self._sockets.append(server)
            self._start(_pass_on, server, client)
            _pass_on(client, server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for sock in (source, target):
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
