"""Every error that repoledger raises on purpose.

    RepoledgerError
    ├── ConfigError             the configuration, or a credential in it, cannot be used
    ├── AddressTaken            the daemon cannot listen at its address now
    ├── Interrupted             asked to stop while working or waiting
    ├── RemovalsWithheld        too many repositories are missing from a listing
    ├── RestError               a request did not end in a usable answer
    │   ├── ConnectFailed       refused, reset, no such host, cut off in the middle
    │   ├── TimedOut            no answer, or no whole answer, within the time allowed
    │   ├── BadCredentials      401
    │   ├── Forbidden           403 (permission, SSO), 451
    │   │   └── Blocked         the repository was taken down
    │   ├── NotFound            404, 410
    │   │   └── Gone            404 in the service's own shape, not that of a proxy before it
    │   ├── InvalidRequest      400, 422 and other 4xx, with the server's message
    │   ├── Conflict            409
    │   ├── Computing           the server is still computing the answer (202)
    │   ├── RateLimited         429, or a service's equivalent, with `retry_at`
    │   ├── ServerError         5xx
    │   ├── NotJson             the body is not JSON
    │   ├── UnexpectedAnswer    JSON of another shape, a redirect that leads nowhere, endless pages
    │   ├── ForeignOrigin       a redirect or link that leaves the API's own origin
    │   └── TooLarge            the body exceeds the cap
    └── DatabaseError           the database cannot be used
        ├── DatabaseUnusable    missing folder, read-only, not a database
        ├── SchemaMissing       not migrated yet
        ├── SchemaOutdated      older than the program
        ├── SchemaTooNew        newer than the program
        ├── QueryRefused        a statement of the user's that the database refuses
        ├── NoSuchRepository    the ledger holds no repository of that name
        ├── NoSuchHost          the ledger holds nothing of that host
        ├── AmbiguousName       repositories of several hosts have that name
        ├── RunInProgress       another process is syncing the same account
        └── Fenced              a later run of the account has taken over

Messages tell what happened, to what, and what to do, and never hold a
credential. Errors carry data as attributes, so that callers decide by value.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeVar

from sync.core.redaction import scrub

E = TypeVar("E", bound="RestError")
_KINDS: dict[str, type[RepoledgerError]] = {}


def kind_of(code: str | None) -> type[RepoledgerError]:
    """Return the error class with this `code`; RepoledgerError if there is none."""
    return _KINDS.get(code or "", RepoledgerError)


class RepoledgerError(Exception):
    """Anything that repoledger raises on purpose; its text is for people."""

    # The error's name in events and `sync_runs.error_type`; it stays if the class is renamed.
    code: ClassVar[str] = "RepoledgerError"
    # Whether the error is transient: a later attempt may succeed without any change.
    is_transient: ClassVar[bool] = False

    def __init_subclass__(cls, *, code: str | None = None, transient: bool | None = None) -> None:
        if code is not None:
            cls.code = code
            _KINDS[code] = cls
        if transient is not None:
            cls.is_transient = transient


class ConfigError(RepoledgerError, code="ConfigError"):
    """The configuration cannot be used.

    `problems` lists every one that was found, each a line of text.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class AddressTaken(RepoledgerError, code="AddressTaken"):
    """The daemon cannot listen at its address now; unlike a wrong address, that is transient."""


class Interrupted(RepoledgerError, code="Interrupted"):
    """Work was stopped from outside before it was finished."""

    def __init__(self, message: str = "stopped before it was finished") -> None:
        super().__init__(message)


class RemovalsWithheld(RepoledgerError, code="RemovalsWithheld"):
    """More repositories are missing from a listing than are removed without confirmation."""

    def __init__(self, message: str) -> None:
        super().__init__(scrub(message))


class RestError(RepoledgerError, code="RestError"):
    """A request did not end in a usable answer.

    `method` and `url` name the request (the URL without credentials), `status`
    is the HTTP status if there was an answer, `request_id` the server's name
    for the request, if it gave one. Secrets in the message and the URL are
    masked here: both may repeat what a server wrote.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str = "",
        url: str = "",
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        self.message = scrub(message)
        self.url = scrub(url)
        super().__init__(self.message)
        self.method = method
        self.status = status
        self.request_id = request_id

    def recast(self, kind: type[E], message: str) -> E:
        """Return an error of `kind` with a `message`, about the same request."""
        return kind(
            message,
            method=self.method,
            url=self.url,
            status=self.status,
            request_id=self.request_id,
        )

    def __str__(self) -> str:
        where = f"{self.method} {self.url.partition('?')[0]}".strip()
        return f"{where}: {self.message}" if where else self.message


class ConnectFailed(RestError, code="ConnectFailed", transient=True):
    """The server could not be reached, or the connection broke.

    `permanent` is true where trying again cannot help, such as a certificate
    that is not trusted.
    """

    permanent = False


class TimedOut(RestError, code="TimedOut", transient=True):
    """The answer, or the rest of it, did not arrive in time."""


class BadCredentials(RestError, code="BadCredentials"):
    """The server does not accept the credentials (401)."""


class Forbidden(RestError, code="Forbidden"):
    """The server knows who asks and refuses (403, 451)."""


class Blocked(Forbidden, code="Blocked"):
    """GitHub has taken the repository down (451, or 403 with a `block`)."""


class NotFound(RestError, code="NotFound"):
    """There is nothing at this address for these credentials (404, 410)."""


class Gone(NotFound):
    """The service's own answer that the object does not exist or is hidden; not a proxy's 404."""


class InvalidRequest(RestError, code="InvalidRequest"):
    """The server does not accept the request as sent (400, 422, other 4xx)."""


class Conflict(RestError, code="Conflict", transient=True):
    """The resource is in a state that does not allow the request now (409)."""


class Computing(RestError, code="Computing"):
    """The server is still computing the answer, or has none yet (202)."""


class RateLimited(RestError, code="RateLimited"):
    """Too many requests, or a server that says until when it is out of service.

    `retry_at` is the UTC time at which the server will answer again, or None
    if it did not say. `secondary` is true for a limit on the pace of requests
    rather than on their number. `sent` is false if the client itself held the
    request back, to stay within a limit that it knows of.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_at: datetime | None = None,
        secondary: bool = False,
        sent: bool = True,
        method: str = "",
        url: str = "",
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, method=method, url=url, status=status, request_id=request_id)
        self.retry_at = retry_at
        self.secondary = secondary
        self.sent = sent


class ServerError(RestError, code="ServerError", transient=True):
    """The server failed (5xx)."""


class NotJson(RestError, code="NotJson", transient=True):
    """The body is not JSON: an error page, or cut short."""


class UnexpectedAnswer(RestError, code="UnexpectedAnswer"):
    """The answer is well formed but not what this address should give."""


class ForeignOrigin(RestError, code="ForeignOrigin"):
    """A redirect or a link leads away from the API's own origin."""


class TooLarge(RestError, code="TooLarge"):
    """The decoded body exceeds the cap."""


class DatabaseError(RepoledgerError, code="DatabaseError", transient=True):
    """The database cannot be used."""


class DatabaseUnusable(DatabaseError, code="DatabaseUnusable"):
    """The database cannot be opened or written."""


class SchemaMissing(DatabaseError, code="SchemaMissing"):
    """The database holds no ledger yet."""


class SchemaOutdated(DatabaseError, code="SchemaOutdated"):
    """The database's schema is older than the program."""


class SchemaTooNew(DatabaseError, code="SchemaTooNew"):
    """The database's schema is newer than the program."""


class QueryRefused(DatabaseError, code="QueryRefused"):
    """The database refuses a statement that the user gave."""


class NoSuchRepository(DatabaseError, code="NoSuchRepository"):
    """The ledger holds no repository of that name."""


class NoSuchHost(DatabaseError, code="NoSuchHost"):
    """The ledger holds nothing of that host."""


class AmbiguousName(DatabaseError, code="AmbiguousName"):
    """Repositories of several hosts have that name."""


class RunInProgress(DatabaseError, code="RunInProgress"):
    """Another process is syncing the same account."""


class Fenced(DatabaseError, code="Fenced"):
    """A later run of the same account has taken over; this one may not write."""
