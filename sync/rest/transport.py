"""The edge to the network: sends one prepared request and reads its whole answer.

Two things that requests does not do by itself:

* A timeout in requests bounds each wait for bytes, not the whole. A server
  that sends one byte a second is never cut. Here a watchdog cuts the
  connection of a request that outlives its deadline, whether it is dripping
  headers or body, and of every request once `stop` is set.
* `Response.content` expands a compressed body without bound. Here decoding
  stops at a cap.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from http.client import HTTPException, HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError

from sync import errors
from sync.redaction import printable, scrub
from sync.rest.response import Response

_CHUNK = 256 * 1024  # bytes decoded at a time
TICK = 0.2  # seconds between two looks of the watchdog
_CONNECT_TIMEOUT = 10.0  # seconds, for each address of the host
_NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


class _Flight:
    """A request under way: its deadline (monotonic seconds), its connection and socket."""

    __slots__ = ("connection", "cut", "deadline", "sock")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.connection: HTTPConnection | None = None
        self.sock: socket.socket | None = None
        self.cut = False

    def cut_off(self) -> None:
        self.cut = True
        # A connection forgets its socket as soon as it knows that this answer is
        # its last (`Connection: close`, no length); the body is still to come.
        sock = getattr(self.connection, "sock", None) or self.sock
        if sock is not None:
            # The plain socket's shutdown, also for TLS: it wakes the reading
            # thread without touching the TLS state that thread is using.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


_current = threading.local()  # .flight: the request that this thread is sending


class _WholeAnswer(HTTPResponse):
    """Fails its connection if it announces another answer, or has headers that cannot be read.

    http.client takes the headers to end at such a line, and loses what stands behind it.
    """

    def begin(self) -> None:
        super().begin()
        if self.status < 200:
            raise ConnectionAbortedError(f"an answer of status {self.status} came instead")
        if self.headers.defects:
            raise ConnectionAbortedError("the headers of the answer cannot be read")


class _WatchedHTTPConnection(HTTPConnection):
    response_class = _WholeAnswer

    def connect(self) -> None:
        _current.flight.connection = self
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        _current.flight.connection = self
        super().request(*args, **kwargs)
        _current.flight.sock = self.sock


class _WatchedHTTPSConnection(HTTPSConnection):
    response_class = _WholeAnswer

    def connect(self) -> None:
        _current.flight.connection = self
        super().connect()

    def _tunnel(self) -> None:
        super()._tunnel()
        # The end of what a proxy says looks the same when it was cut off.
        if _current.flight.cut:
            raise ConnectionAbortedError

    def request(self, *args: Any, **kwargs: Any) -> None:
        _current.flight.connection = self
        super().request(*args, **kwargs)
        _current.flight.sock = self.sock


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPSConnection


class _WatchedAdapter(HTTPAdapter):
    """An adapter whose connections tell which request they are serving."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        return manager


class Transport:
    """A `requests.Session` for one origin, with deadlines, a size cap and a stop signal.

    Usable from several threads. `timeout` is the longest time for one whole
    answer, in seconds; `max_body` the cap on a decoded body, in bytes.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        max_body: int,
        pool_size: int,
        stop: threading.Event,
    ) -> None:
        self.timeout = timeout
        self.max_body = max_body
        self._stop = stop
        self._flights: set[_Flight] = set()
        self._lock = threading.Lock()
        self._watchdog: threading.Thread | None = None
        self.closed = threading.Event()
        self.session = requests.Session()
        adapter = _WatchedAdapter(pool_connections=1, pool_maxsize=pool_size)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        # Proxies and CA bundles of the environment are read once, for the one
        # origin there is. After that the environment is not trusted: requests
        # would take credentials for the host from ~/.netrc.
        environment = self.session.merge_environment_settings(base_url, {}, None, None, None)
        self._settings: dict[str, Any] = {
            key: environment[key] for key in ("proxies", "verify", "cert")
        }
        self.session.trust_env = False

    def close(self) -> None:
        """Cut what is under way and close every pooled connection."""
        self.closed.set()
        with self._lock:
            watchdog = self._watchdog
            for flight in self._flights:
                flight.cut_off()
        if watchdog is not None:
            watchdog.join()
        self.session.close()

    def send(self, request: requests.PreparedRequest) -> Response:
        """Send `request` once and return its answer, redirects not followed.

        Raises ConnectFailed, TimedOut, TooLarge or Interrupted, never an error
        of requests or urllib3.
        """
        started = time.monotonic()
        flight = _Flight(started + self.timeout)
        self._take_off(flight)
        try:
            return self._exchange(request, flight, started)
        except Exception as error:
            # A connection that is cut under http.client can fail it in any way.
            if not flight.cut and not isinstance(error, _NETWORK_ERRORS):
                raise
            failure = self._failure(error, flight, request)
        finally:
            with self._lock:
                self._flights.discard(flight)
        # Outside of the handler, so that the original, which holds the request
        # with its credentials, is not chained to ours.
        raise failure

    def _exchange(
        self, request: requests.PreparedRequest, flight: _Flight, started: float
    ) -> Response:
        _current.flight = flight
        adapter = self.session.get_adapter(str(request.url))
        answer = adapter.send(
            request,
            stream=True,
            timeout=(min(_CONNECT_TIMEOUT, self.timeout), self.timeout),
            **self._settings,
        )
        try:
            body = self._read(answer, flight, request)
        finally:
            answer.close()
        return Response(
            method=str(request.method),
            url=str(request.url),
            status=answer.status_code,
            headers=answer.headers,
            body=body,
            elapsed=time.monotonic() - started,
        )

    def _read(
        self, answer: requests.Response, flight: _Flight, request: requests.PreparedRequest
    ) -> bytes:
        if request.method == "HEAD":
            return b""
        chunks: list[bytes] = []
        size = 0
        # read1 returns what has arrived; read would wait for a whole chunk.
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > self.max_body:
                raise errors.TooLarge(
                    f"the answer exceeds {self.max_body:,} bytes; stopped reading",
                    method=str(request.method),
                    url=scrub(str(request.url)),
                    status=answer.status_code,
                )
            chunks.append(chunk)
        if flight.cut:  # a body without a length ends silently when it is cut
            raise ConnectionAbortedError
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _failure(
        self, error: Exception, flight: _Flight, request: requests.PreparedRequest
    ) -> errors.RepoledgerError:
        if flight.cut and (self._stop.is_set() or self.closed.is_set()):
            return errors.Interrupted("stopped while waiting for an answer")
        method, url = str(request.method), scrub(str(request.url))
        if flight.cut or isinstance(error, (requests.Timeout, UrllibTimeoutError, TimeoutError)):
            message = f"no whole answer within {self.timeout:g} s"
            return errors.TimedOut(message, method=method, url=url)
        failure = errors.ConnectFailed(_reason(error), method=method, url=url)
        failure.permanent = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return failure

    def _take_off(self, flight: _Flight) -> None:
        if self._stop.is_set() or self.closed.is_set():
            raise errors.Interrupted("stopped before a request was sent")
        with self._lock:
            if self._watchdog is None:
                watchdog = threading.Thread(target=self._watch, name="rest-watchdog", daemon=True)
                watchdog.start()  # fails if there is no memory for it
                self._watchdog = watchdog
            self._flights.add(flight)

    def _watch(self) -> None:
        while not self.closed.wait(TICK):
            now = time.monotonic()
            stopping = self._stop.is_set()
            with self._lock:  # so that no flight lands meanwhile and passes its connection on
                for flight in self._flights:
                    if stopping or now > flight.deadline:
                        flight.cut_off()


def _reason(error: BaseException) -> str:
    """Return what went wrong in a few words, without addresses of objects or class names."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "could not connect through the proxy"
    cause: Any = error
    for _ in range(6):  # requests wraps urllib3's error, which wraps the system's
        named = (getattr(cause, "reason", None), *cause.args)
        cause = next((each for each in named if isinstance(each, Exception)), cause)
    if isinstance(cause, (requests.exceptions.SSLError, SSLError)) or "SSL" in type(cause).__name__:
        return f"could not establish a TLS connection: {printable(scrub(str(cause)))[:200]}"
    if isinstance(cause, socket.gaierror) or "NameResolution" in type(cause).__name__:
        return "could not connect: the host name cannot be resolved"
    if isinstance(cause, ConnectionRefusedError) or "refused" in str(cause):
        return "could not connect: connection refused"
    text = printable(scrub(str(cause)))[:200]
    return f"the connection failed: {text or type(cause).__name__}"
