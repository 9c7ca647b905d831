"""The values that pass between the HTTP server and the API, and the bytes of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec

DOCS = "https://docs.github.com/rest"
ENTERPRISE_PATH = "/api/v3"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A received request. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    client: str = "127.0.0.1"
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer with its headers."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class RequestRecord(Request):
    """An answered request, with the status of the answer."""

    status: int

    @property
    def conditional(self) -> bool:
        """Whether the request carried an `If-None-Match`."""
        return "if-none-match" in self.headers


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The result of a route's handler, without the common headers of answers.

    `fingerprint` replaces the body in the computation of the ETag, so that a page of hashed
    items is not hashed again. `scopes` are those that the route accepts, as a header names them.
    """

    status: int = HTTPStatus.OK
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    fingerprint: bytes = b""
    scopes: str = ""


class RefusedError(Exception):
    """An error as the answer to a request, with its status and body."""

    def __init__(
        self, status: int, message: str, *, docs: str = DOCS, errors: Any = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        body: dict[str, Any] = {"message": message}
        if errors is not None:
            body["errors"] = errors
        body |= {"documentation_url": docs + hint, "status": str(int(status))}
        self.body: Any = body


def not_found(hint: str = "") -> RefusedError:
    """GitHub's answer for objects that do not exist or are hidden from the viewer."""
    return RefusedError(HTTPStatus.NOT_FOUND, "Not Found", hint=hint)


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; huge numbers and half surrogate pairs are escaped."""
    try:
        return msgspec.json.encode(value)
    except (OverflowError, ValueError, UnicodeEncodeError):
        return json.dumps(value, separators=(",", ":")).encode()


def digest(*parts: bytes) -> bytes:
    """A short hash of these bytes."""
    return sha256(b"\n".join(parts)).digest()
