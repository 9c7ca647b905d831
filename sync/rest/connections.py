"""Connections of any kind that can be cut, and know which request they serve."""

from __future__ import annotations

import contextlib
import socket
import threading
from email.message import Message
from functools import cache
from http import HTTPStatus
from http.client import HTTPResponse, parse_headers
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from sync.core.waiting import ask
from sync.rest.trust import TrustingAdapter, new_context


class Flight:
    """A request in flight: its deadline (monotonic seconds), its connection and socket.

    `connecting` is the thread that opens the connection, or None. `cut` is set when the
    request has been ended.
    """

    __slots__ = ("connecting", "connection", "cut", "deadline", "sock")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.connecting: int | None = None
        self.connection: HTTPConnection | None = None
        self.sock: Any = None
        self.cut = threading.Event()

    def cut_off(self) -> None:
        self.cut.set()
        # A connection drops its socket after the headers of its last answer
        # (`Connection: close`, no length), while the body is still to come.
        sock = getattr(self.connection, "sock", None) or self.sock
        # A failure here must not keep the watchdog from the other requests.
        with contextlib.suppress(Exception):
            while not isinstance(sock, socket.socket):
                sock = sock.socket  # TLS within the TLS of a proxy is no socket, but has one
            # The plain socket's shutdown, also for TLS: it wakes the reading
            # thread without touching the TLS state that thread is using.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


current = threading.local()  # .flight: the request that this thread is sending


class WholeAnswer(HTTPResponse):
    """The final answer, after all interim ones (RFC 9110, 15.2; http.client skips only 100).

    Fails if the connection switches to another protocol, or if a header line is unreadable:
    http.client would take it for the end of the headers, and lose the rest.
    """

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if not 100 <= status < 200 or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            _require_readable(parse_headers(self.fp))

    def begin(self) -> None:
        super().begin()
        if self.status < 200:
            raise ConnectionAbortedError(f"an answer of status {self.status} came instead")
        _require_readable(self.headers)


def _require_readable(headers: Message) -> None:
    if headers.defects:
        raise ConnectionAbortedError("the headers of the answer cannot be read")


class _Watched(HTTPConnection):
    """Adds to a connection of urllib3 that it registers with the request that it serves."""

    response_class = WholeAnswer

    def connect(self) -> None:
        """Connect in a separate thread, since a look-up of a host name cannot be interrupted."""
        flight: Flight = current.flight
        flight.connection = self
        kind: Any = self
        if isinstance(kind, HTTPSConnection):
            kind.ssl_context = kind.ssl_context or new_context()

        def connect() -> None:
            flight.connecting = threading.get_ident()
            super(_Watched, self).connect()
            flight.connecting = None

        ask(connect, stop=flight.cut, too_late=self.close)
        if flight.cut.is_set():  # an answer of a proxy that was cut looks complete
            raise ConnectionAbortedError

    def request(self, *args: Any, **kwargs: Any) -> None:
        current.flight.connection = self
        super().request(*args, **kwargs)
        current.flight.sock = self.sock


@cache
def _watched(pool: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    """Return a class like `pool`, to a server or through a proxy, with watched connections."""
    connection = type("_WatchedConnection", (_Watched, pool.ConnectionCls), {})
    return type("_WatchedPool", (pool,), {"ConnectionCls": connection})


def _watch_over(manager: Any) -> Any:
    kinds = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _watched(kind) for scheme, kind in kinds.items()}
    return manager


class WatchedAdapter(TrustingAdapter):
    """An adapter with watched connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _watch_over(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = self.proxy_manager.get(proxy)
        return known or _watch_over(super().proxy_manager_for(proxy, **kwargs))
