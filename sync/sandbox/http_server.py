"""An HTTP server on loopback; a function makes its answers."""

from __future__ import annotations

import contextlib
import gzip
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from sync.sandbox.messages import Answer, Request

_MOST_GZIPPED = 256
_WORTH_GZIP = 512


class Server(ThreadingHTTPServer):
    """Listens on a free port between `start()` and `stop()`, one thread a connection.

    `delay` returns the seconds by which answers are delayed; `errors` gets unexpected exceptions
    of its threads.
    """

    request_queue_size = 128

    def __init__(
        self,
        answer: Callable[[Request], Answer],
        delay: Callable[[], float],
        errors: list[Exception],
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.delay = delay
        self.closing = threading.Event()
        self.gzipped: dict[str, bytes] = {}
        self._errors = errors
        self._accepting = threading.Thread(target=self._accept, name="sandbox", daemon=True)
        self._guard = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}

    def start(self) -> None:
        """Starts to accept connections."""
        self._accepting.start()

    def stop(self) -> None:
        """Ends all connections, and waits for their threads."""
        self.closing.set()
        # `shutdown` of the standard library polls; a last connection wakes the loop at once.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.server_port), timeout=1).close()
        self._accepting.join()
        self.server_close()
        with self._guard:
            under_way = dict(self._open)
        for connection in under_way.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in under_way:
            thread.join()

    def server_bind(self) -> None:
        # Without HTTPServer's look-up of the host's name, which can take seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        return not self.closing.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name="sandbox-answer", daemon=True
        )
        with self._guard:
            self._open[thread] = request
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Prints nothing: clients may close connections early."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self._errors.append(error)

    def _accept(self) -> None:
        while not self.closing.is_set():
            self.handle_request()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._guard:
                del self._open[threading.current_thread()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST and so on; GitHub answers every method.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """No access log."""

    def _answer(self) -> None:
        body = self._body()
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=unquote(path),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            client=self.client_address[0],
            body=body,
        )
        server = self.server
        answer = _gzipped(server.gzipped, request, server.answer(request))
        if server.closing.wait(server.delay()):
            self.close_connection = True
            return
        self.wfile.write(self._head(answer) + (b"" if self.command == "HEAD" else answer.body))

    def _body(self) -> bytes:
        # An unread body would be taken for the next request, or reset the connection.
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdigit() or len(length) > 6:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _head(self, answer: Answer) -> bytes:
        headers = dict(answer.headers)
        if "content-length" in map(str.lower, headers):
            self.close_connection = True
        elif answer.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            headers["Content-Length"] = str(len(answer.body))
        if self.close_connection:
            headers["Connection"] = "close"
        try:
            reason = HTTPStatus(answer.status).phrase
        except ValueError:
            reason = "Unknown"
        lines = [f"HTTP/1.1 {int(answer.status)} {reason}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _gzipped(kept: dict[str, bytes], request: Request, answer: Answer) -> Answer:
    """The answer compressed, when the client takes that. Bodies with an ETag are `kept`."""
    accepted = request.headers.get("accept-encoding", "").lower()
    offers = [offer.replace(" ", "").split(";") for offer in accepted.split(",")]
    wanted = any(
        name in ("gzip", "*") and "q=0" not in params and "q=0.0" not in params
        for name, *params in offers
    )
    tag = answer.headers.get("ETag")
    if not wanted or tag is None or len(answer.body) < _WORTH_GZIP:
        return answer
    packed = kept.get(tag)
    if packed is None:
        packed = gzip.compress(answer.body, compresslevel=1, mtime=0)
        if len(kept) >= _MOST_GZIPPED:
            kept.clear()
        kept[tag] = packed
    return replace(answer, headers=answer.headers | {"Content-Encoding": "gzip"}, body=packed)
