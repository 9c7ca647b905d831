"""The values that pass between the socket and the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = "https://docs.github.com/rest"
ENTERPRISE_PATH = "/api/v3"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it came in. Header names are lower-case; of repeated parameters the last."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    client: str = "127.0.0.1"
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A complete answer: what the socket edge has to send, but for the framing."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class RequestRecord:
    """A request that was served, for tests to look at.

    `conditional` tells whether the request carried an `If-None-Match`.
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    headers: dict[str, str]
    conditional: bool
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a route has to say; the headers that every answer carries are added later.

    `fingerprint` stands for the body when the ETag is computed, so that a page need not be
    hashed when its items were. `scopes` is what the route accepts, as GitHub announces it.
    """

    status: int = HTTPStatus.OK
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    fingerprint: bytes = b""
    scopes: str = ""


class RefusedError(Exception):
    """The request is answered with an error. Carries the status and the body."""

    def __init__(
        self, status: int, message: str, *, docs: str = DOCS, errors: Any = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.body: dict[str, Any] = {"message": message}
        if errors is not None:
            self.body["errors"] = errors
        self.body |= {"documentation_url": docs + hint, "status": str(int(status))}


def not_found(hint: str = "") -> RefusedError:
    """GitHub's answer for what is not there, and for what the viewer may not know of."""
    return RefusedError(HTTPStatus.NOT_FOUND, "Not Found", hint=hint)
