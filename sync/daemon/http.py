"""The daemon's listener: /livez, /readyz and /metrics over HTTP."""

from __future__ import annotations

import errno
import ipaddress
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sync.core.errors import AddressTaken, ConfigError, RepoledgerError

# Transient errors: the address is in use, its network is not up yet, this machine lacks resources.
_TRANSIENT = frozenset(
    {
        *(errno.EADDRINUSE, errno.EADDRNOTAVAIL),
        *(errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),
        *(socket.EAI_AGAIN, socket.EAI_MEMORY),
    }
)
_MAX_CONNECTIONS = 16
_PATIENCE = 5.0  # seconds for a request to arrive


class Answer(NamedTuple):
    """The answer of a page."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Answer]]


class Listener:
    """Serves `pages` (path -> function that answers) at `address` until it is closed.

    A request's `Host` must be an IP address, localhost, the host of `address`, this machine's
    name or one of `names`: this stops web pages that use DNS rebinding. The attribute `address`
    is the real one, with the port that was chosen for port 0. Raises AddressTaken if the
    address is unavailable now, ConfigError if it is invalid.
    """

    def __init__(self, address: tuple[str, int], pages: Pages, names: Collection[str] = ()) -> None:
        self.address = address
        self._lock = threading.Lock()
        self._lost = False  # closed, and could not be opened again
        self._pages = pages
        self._names = {_plain(n) for n in ("localhost", address[0], socket.gethostname(), *names)}
        self._open()

    def _open(self) -> None:
        host, port = self.address
        handler = type("Handler", (_Handler,), {"pages": self._pages, "names": self._names})
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("Server", (_Server,), {"address_family": family})
        try:
            self._server: _Server = server((host, port), handler)
        except OSError as error:
            reason = error.strerror or str(error)
            kind = AddressTaken if error.errno in _TRANSIENT else ConfigError
            raise kind(f"http.listen: cannot listen at {host}:{port}: {reason}") from None
        self.address = self._server.server_address[:2]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.2},
            name="http",
            daemon=True,
        )
        try:
            self._thread.start()
        except RuntimeError:
            self._server.server_close()
            raise AddressTaken("http.listen: the system allows no further thread") from None

    def moved(self, address: tuple[str, int], names: Collection[str]) -> Listener:
        """Return a listener at `address`, and close this one.

        If the addresses overlap, such as two hosts with the same port, this listener is closed
        first; if the new one then fails, this one is opened again, now or by `mend`. Raises
        AddressTaken, ConfigError.
        """
        try:
            new = Listener(address, self._pages, names)
        except AddressTaken:
            self.close()
            try:
                return Listener(address, self._pages, names)
            except RepoledgerError:
                self._lost = True
                self.mend()
                raise
        self.close()
        return new

    def mend(self) -> None:
        """Open the listener again, if `moved` closed it and could not.

        To be called now and then, by any thread.
        """
        with self._lock, suppress(AddressTaken, ConfigError):
            if self._lost:
                self._open()
                self._lost = False

    def close(self) -> None:
        """Stop serving."""
        with self._lock:
            lost, self._lost = self._lost, False
            if not lost:
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
            # At the limit, the oldest is closed, so that idle clients cannot block health checks.
            while len(self._open) >= _MAX_CONNECTIONS:
                oldest = next(iter(self._open))
                del self._open[oldest]
                with suppress(OSError):
                    oldest.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no further thread
            self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: clients may close connections early."""


def _plain(host: str) -> str:
    return host.lower().removesuffix(".")


def _is_among(names: Collection[str], authority: str) -> bool:
    """Return whether the host of `authority` (HOST or HOST:PORT) is an IP address or in `names`."""
    try:
        host = _plain(urlsplit(f"//{authority}").hostname or "")
        return host in names or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    pages: Pages
    names: Collection[str]
    timeout = _PATIENCE
    server_version = "repoledger"
    sys_version = ""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        page = self.pages.get(asked.path)
        hosts = [*self.headers.get_all("Host", []), *([asked.netloc] if asked.netloc else [])]
        if not all(_is_among(self.names, host) for host in hosts):
            self._refuse(421, "Not a name of this daemon: see http.names in its configuration")
        elif page is None:
            self._refuse(404, f"No such page. Pages: {' '.join(self.pages)}")
        else:
            self._answer(page())

    def do_HEAD(self) -> None:
        self.do_GET()

    def _refuse(self, status: int, reason: str) -> None:
        self._answer(Answer(status, "text/plain; charset=utf-8", f"{reason}\n".encode()))

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Log nothing: health checks come every few seconds."""
