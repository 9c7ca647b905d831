"""Tells why a server could not be reached, and whether the error is transient. No I/O here."""

from __future__ import annotations

import re
import socket
from typing import Any, NamedTuple

import requests
from urllib3.exceptions import SSLError

from sync.core.redaction import printable, scrub

_REFUSED = re.compile(r"Tunnel connection failed: ([0-9]{3})")
_TRANSIENT = (408, 425, 429)  # a proxy's statuses from 500 on are transient too


class Reason(NamedTuple):
    """The reason of a failure, as text; `permanent` if a retry cannot help."""

    text: str
    permanent: bool = False


def reason_of(error: BaseException, proxy: str | None) -> Reason:
    """Return the reason in a few words, without class names or addresses of objects.

    `proxy` is the host and port that requests go through.
    """
    cause: Any = error
    for _ in range(6):  # requests wraps urllib3's error, which wraps the system's
        named = (getattr(cause, "reason", None), *cause.args)
        cause = next((each for each in named if isinstance(each, Exception)), cause)
    refused = _REFUSED.search(str(cause))
    if refused is not None:
        return _refusal(int(refused[1]), proxy)
    unverified = "CERTIFICATE_VERIFY_FAILED" in str(error)
    if isinstance(error, requests.exceptions.ProxyError):
        if "WRONG_VERSION_NUMBER" in str(error):
            text = f"the proxy {proxy} does not speak TLS: its address has to begin with http://"
            return Reason(text, permanent=True)
        return Reason(f"could not connect to the proxy {proxy}: {_words(cause)}", unverified)
    if isinstance(cause, (requests.exceptions.SSLError, SSLError)) or "SSL" in type(cause).__name__:
        return Reason(f"could not establish a TLS connection: {_told(cause)}", unverified)
    words = _words(cause)
    could = words in (_UNRESOLVED, _NOBODY)
    return Reason(f"{'could not connect' if could else 'the connection failed'}: {words}")


_UNRESOLVED = "the host name cannot be resolved"
_NOBODY = "connection refused"


def _words(cause: Exception) -> str:
    if isinstance(cause, socket.gaierror) or "NameResolution" in type(cause).__name__:
        return _UNRESOLVED
    if isinstance(cause, ConnectionRefusedError) or "refused" in str(cause):
        return _NOBODY
    if "timed out" in str(cause):
        return "no answer in time"
    return _told(cause) or type(cause).__name__


def _told(cause: Exception) -> str:
    return printable(scrub(str(cause)))[:200]


def _refusal(status: int, proxy: str | None) -> Reason:
    """Return the reason why a proxy did not open the requested connection."""
    if status == 407:
        text = (
            f"the proxy {proxy} requires a valid user and password (407); put them before the "
            "host in its address: USER:PASSWORD@HOST:PORT"
        )
        return Reason(text, permanent=True)
    if status == 403:
        return Reason(f"the proxy {proxy} forbids connections to this host (403)", permanent=True)
    permanent = 400 <= status < 500 and status not in _TRANSIENT
    return Reason(f"the proxy {proxy} could not connect to this host ({status})", permanent)
