"""The edge to the network: sends one prepared request and reads its whole answer.

It adds two things to requests:

* A deadline for the whole answer. A timeout of requests limits each wait for bytes,
  so a server that sends one byte a second is never cut. Here a watchdog cuts the
  connection at the deadline, in the headers or in the body; and every connection
  once `stop` is set.
* A cap on the decoded body. `Response.content` decompresses without limit.
"""

from __future__ import annotations

import math
import threading
import time
from http.client import HTTPException
from io import BytesIO
from typing import Any

import requests
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as UrllibTimeoutError

from sync.core import errors
from sync.core.redaction import scrub
from sync.core.waiting import TICK, asks_name_servers
from sync.rest.connections import Flight, WatchedAdapter, current
from sync.rest.proxy import proxies_for, proxy_for
from sync.rest.reasons import reason_of
from sync.rest.response import Response
from sync.rest.trust import authorities

_CHUNK = 256 * 1024  # bytes decoded at a time
_CONNECT_TIMEOUT = 10.0  # seconds, for each address of the host
_NETWORK_ERRORS = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)


class Transport:
    """A `requests.Session` for one origin, with deadlines, a size cap and a stop signal.

    Usable from several threads. `timeout` is the longest time for one whole
    answer, in seconds; `max_body` the cap on a decoded body, in bytes; `grace` the
    time that a request in flight may still take after the stop, in seconds.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float,
        max_body: int,
        pool_size: int,
        stop: threading.Event,
        grace: float = 0.0,
    ) -> None:
        self.timeout = timeout
        self.max_body = max_body
        self._stop = stop
        self._grace = grace
        self._flights: set[Flight] = set()
        self._lock = threading.Condition()  # notified when a request ends
        self._watchdog: threading.Thread | None = None
        self.closed = threading.Event()
        self.session = requests.Session()
        # Proxies and certificate authorities are read from the environment once.
        self._trusted = authorities()
        self._proxy = proxy_for(base_url)
        if base_url.startswith("https:"):
            self._trusted.require()
        verify = self._trusted.path
        adapter = WatchedAdapter(verify, pool_connections=1, pool_maxsize=pool_size)
        self.session.mount("https://", adapter)
        self.session.mount("http://", adapter)
        self._settings: dict[str, Any] = {"proxies": proxies_for(base_url), "verify": verify}
        # Otherwise requests takes credentials for the host from ~/.netrc.
        self.session.trust_env = False

    def close(self) -> None:
        """Cut the requests in flight, after their grace, and close every pooled connection."""
        self.closed.set()
        with self._lock:
            self._lock.wait_for(lambda: not self._flights, self._grace)
            watchdog = self._watchdog
            for flight in self._flights:
                flight.cut_off()
        if watchdog is not None:
            watchdog.join()
        self.session.close()

    def send(self, request: requests.PreparedRequest) -> Response:
        """Send `request` once and return its answer, without following redirects.

        Raises ConnectFailed, TimedOut, TooLarge or Interrupted, never an error
        of requests or urllib3.
        """
        started = time.monotonic()
        flight = Flight(started + self.timeout)
        self._take_off(flight)
        try:
            return self._exchange(request, flight, started)
        except Exception as error:
            # In http.client, a cut connection can lead to any exception.
            if not flight.cut.is_set() and not isinstance(error, _NETWORK_ERRORS):
                raise
            failure = self._failure(error, flight, request)
        finally:
            with self._lock:
                self._flights.discard(flight)
                self._lock.notify_all()
        # Outside of the handler, so that the original error, which holds the request
        # with its credentials, is not chained to ours.
        raise failure

    def _exchange(
        self, request: requests.PreparedRequest, flight: Flight, started: float
    ) -> Response:
        current.flight = flight
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
        self, answer: requests.Response, flight: Flight, request: requests.PreparedRequest
    ) -> bytes:
        if request.method == "HEAD":
            return b""
        body = BytesIO()  # joining a list of chunks takes twice the memory
        # read1 returns the bytes that have arrived; read would wait for a whole chunk.
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            body.write(chunk)
            if body.tell() > self.max_body:
                raise errors.TooLarge(
                    f"the answer exceeds {self.max_body:,} bytes; stopped reading",
                    method=str(request.method),
                    url=scrub(str(request.url)),
                    status=answer.status_code,
                )
            if flight.cut.is_set():
                break
        if flight.cut.is_set():  # a cut in a body without a length raises nothing
            raise ConnectionAbortedError
        return body.getvalue()

    def _failure(
        self, error: Exception, flight: Flight, request: requests.PreparedRequest
    ) -> errors.RepoledgerError:
        cut = flight.cut.is_set()
        if cut and (self._stop.is_set() or self.closed.is_set()):
            return errors.Interrupted("stopped while waiting for an answer")
        method, url = str(request.method), scrub(str(request.url))
        if cut or isinstance(error, (requests.Timeout, UrllibTimeoutError, TimeoutError)):
            return errors.TimedOut(self._missing(flight), method=method, url=url)
        reason, permanent = reason_of(error, self._proxy)
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            reason = f"{reason}; {self._trusted.advice()}"
        failure = errors.ConnectFailed(reason, method=method, url=url)
        failure.permanent = permanent
        return failure

    def _missing(self, flight: Flight) -> str:
        """Return the missing part of a request that took too long."""
        if flight.connecting is None:
            return f"no whole answer within {self.timeout:g} s"
        if asks_name_servers(flight.connecting):
            return f"the name servers have not answered within {self.timeout:g} s"
        return f"could not connect within {min(_CONNECT_TIMEOUT, self.timeout):g} s"

    def _take_off(self, flight: Flight) -> None:
        if self._stop.is_set() or self.closed.is_set():
            raise errors.Interrupted("stopped before a request was sent")
        with self._lock:
            if self._watchdog is None:
                watchdog = threading.Thread(target=self._watch, name="rest-watchdog", daemon=True)
                watchdog.start()  # fails if memory is short
                self._watchdog = watchdog
            self._flights.add(flight)

    def _watch(self) -> None:
        last_call = math.inf
        while not self.closed.wait(TICK):
            now = time.monotonic()
            if self._stop.is_set():
                last_call = min(last_call, now + self._grace)
            with self._lock:  # so that no request ends meanwhile and returns its connection
                for flight in self._flights:
                    if now >= min(flight.deadline, last_call):
                        flight.cut_off()
