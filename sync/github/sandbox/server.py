"""The socket edge: the stand-in GitHub as an HTTP server on loopback."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from fnmatch import fnmatchcase
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from .api import gzipped, respond
from .state import State
from .wire import ENTERPRISE_PATH, Answer, Request, RequestRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType
    from typing import Self

_UNICORN = (
    b"<html><body><h1>We had issues producing the response to your request.</h1></body></html>"
)


@dataclass(kw_only=True)
class _Failure:
    times: int
    answer: Answer
    path: str
    query: Mapping[str, str] = field(default_factory=dict)

    def meets(self, request: Request) -> bool:
        return fnmatchcase(request.path, self.path) and self.query.items() <= request.query.items()


class Sandbox(State):
    """A GitHub of its own, on a free port of 127.0.0.1, between `start()` and `close()`.

    `delay` is the time in seconds that every answer takes longer. `on_request` is called with
    each request before it is answered, in the server's thread, and may change the state.
    `errors` has the exceptions that were raised while answering; a sound sandbox has none.
    With `enterprise` it is an Enterprise Server as it is set up: the API is below /api/v3, knows
    the older version alone, and sets no limits.
    """

    def __init__(
        self, *, now: Callable[[], datetime] | None = None, enterprise: bool = False
    ) -> None:
        super().__init__(now=now)
        self.enterprise = enterprise
        self.delay = 0.0
        self.on_request: Callable[[Request], None] | None = None
        self.errors: list[Exception] = []
        self.closing = threading.Event()
        self._records: list[RequestRecord] = []
        self._failures: list[_Failure] = []
        self._served = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """The address of the API, without a slash at its end."""
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        below = ENTERPRISE_PATH if self.enterprise else ""
        return f"http://127.0.0.1:{self._server.server_port}{below}"

    def start(self) -> Self:
        """Begins to listen. What was added before stays."""
        if self._server is not None:
            raise RuntimeError("the sandbox is started already")
        self.closing.clear()
        self._server = _Server(self)
        with self.lock:
            self.api = self.url
            self.encoded.clear()
        self._server.start()
        return self

    def close(self) -> None:
        """Stops at once, whatever is under way, and waits for its threads. May be repeated."""
        server, self._server = self._server, None
        if server is not None:
            self.closing.set()
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def requests(self) -> list[RequestRecord]:
        """The requests served so far, oldest first."""
        with self.lock:
            return list(self._records)

    def clear_requests(self) -> None:
        """Forgets them."""
        with self.lock:
            self._records.clear()

    def fail(
        self,
        times: int = 1,
        status: int = 502,
        path: str = "*",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Gives the next `times` requests this answer instead of the right one.

        `path` may have wildcards (`/users/*`); with `query` only requests with these
        parameters are meant. Such an answer costs no quota. A `Content-Length` among the
        headers is sent as it is, and the connection closed behind the body.
        """
        given = {"Content-Type": "text/html; charset=utf-8"} if body is None else {}
        answer = Answer(
            status=status,
            headers=given | dict(headers or {}),
            body=_UNICORN if body is None else body,
        )
        failure = _Failure(times=times, answer=answer, path=path, query=dict(query or {}))
        with self.lock:
            self._failures.append(failure)

    def answer(self, request: Request) -> Answer:
        """Answers a request and keeps a record of it; a bug becomes a 500 and one of `errors`."""
        try:
            if self.on_request is not None:
                self.on_request(request)
            with self.lock:
                self._served += 1
                request_id = f"5A4D:{self._served:05X}:{self._served * 7919:07X}"
                answer = self._planned(request) or respond(self, request, request_id=request_id)
        except Exception as error:
            self.errors.append(error)
            answer = Answer(status=500, headers={}, body=b'{"message":"Server Error"}')
        record = RequestRecord(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            status=int(answer.status),
            headers=dict(request.headers),
            conditional="if-none-match" in request.headers,
            body=request.body,
        )
        with self.lock:
            self._records.append(record)
        return answer

    def _planned(self, request: Request) -> Answer | None:
        for failure in self._failures:
            if failure.times > 0 and failure.meets(request):
                failure.times -= 1
                date = {"Date": format_datetime(self.now(), usegmt=True)}
                return replace(failure.answer, headers=date | failure.answer.headers)
        return None


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sandbox = sandbox
        self._accepting = threading.Thread(target=self._accept, name="sandbox", daemon=True)
        self._guard = threading.Lock()
        self._open: dict[threading.Thread, socket.socket] = {}

    def start(self) -> None:
        self._accepting.start()

    def stop(self) -> None:
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
        # HTTPServer looks up the host's name here, which can take seconds and tells nothing.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        return not self.sandbox.closing.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), name="sandbox-answer", daemon=True
        )
        with self._guard:
            self._open[thread] = request
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Nothing is ever printed, and a client that went away is none of our business."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.sandbox.errors.append(error)

    def _accept(self) -> None:
        while not self.sandbox.closing.is_set():
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
    server: _Server

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST and so on; GitHub has an answer to them all.
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
        sandbox = self.server.sandbox
        answer = gzipped(sandbox.gzipped, request, sandbox.answer(request))
        if sandbox.closing.wait(sandbox.delay):
            self.close_connection = True
            return
        self.wfile.write(self._head(answer) + (b"" if self.command == "HEAD" else answer.body))

    def _body(self) -> bytes:
        # Left unread, it would be taken for the next request, or reset the connection.
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
