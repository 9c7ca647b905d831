"""The daemon's listener: /livez, /readyz and /metrics over HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sync.errors import ConfigError

_MAX_CONNECTIONS = 16
_PATIENCE = 5.0  # seconds for a request to arrive


class Answer(NamedTuple):
    """What a page of the listener says."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Answer]]


class Listener:
    """Serves `pages` (path -> what makes its answer) at `address` until it is closed.

    Raises ConfigError if the address cannot be had. `address` is then the real
    one: port 0 asks for any that is free.
    """

    def __init__(self, address: tuple[str, int], pages: Pages) -> None:
        host, port = address
        handler = type("Handler", (_Handler,), {"pages": pages})
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("Server", (_Server,), {"address_family": family})
        try:
            self._server: _Server = server((host, port), handler)
        except OSError as error:
            reason = error.strerror or str(error)
            raise ConfigError(f"http.listen: cannot listen at {host}:{port}: {reason}") from None
        self.address: tuple[str, int] = self._server.server_address[:2]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.2},
            name="http",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = _MAX_CONNECTIONS

    def __init__(self, *args: Any) -> None:
        self._open: dict[socket.socket, None] = {}  # the oldest first
        self._lock = threading.Lock()
        super().__init__(*args)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's would look up this machine's name, and wait

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            # More than any monitoring needs: the slowest makes room, or it would keep it.
            for oldest in list(self._open)[: 1 + len(self._open) - _MAX_CONNECTIONS]:
                with suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that goes away in the middle is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    pages: Pages
    timeout = _PATIENCE
    server_version = "repoledger"
    sys_version = ""

    def do_GET(self) -> None:
        page = self.pages.get(urlsplit(self.path).path)
        if page is None:
            body = f"There is: {' '.join(self.pages)}\n".encode()
            self._answer(Answer(404, "text/plain; charset=utf-8", body))
        else:
            self._answer(page())

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: probes come every few seconds."""
