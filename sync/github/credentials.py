"""How a client signs in to GitHub, and what follows for what it asks. No I/O here."""

from __future__ import annotations

from abc import abstractmethod
from urllib.parse import urlencode

from requests.auth import AuthBase

from sync.errors import ConfigError
from sync.github import protocol
from sync.github.answers import Sieve
from sync.github.app import InstallationAuth
from sync.rest import BasicAuth, BearerAuth, NoAuth, RenewingAuth

_OLDEST_FIRST = {"sort": "created", "direction": "asc"}


class Credentials:
    """One of the ways to sign in.

    `auth` is sent with each request. `secret` is what ETags and limits hold for;
    None if it is nothing. `kind` is what people are told. `whose` is the path that
    tells who it is. `filters` is whether GitHub leaves out of a listing what is
    not asked for. `app` is the App whose own listing and quota it has, not those of
    a user. `renews` is whether tokens that end are of no concern to anybody.
    """

    auth: AuthBase
    secret: str | None
    kind: str
    whose: str
    filters = True
    app: str | None = None
    renews = False

    @property
    def signs_in(self) -> bool:
        """Whether it is anybody."""
        return self.secret is not None

    @abstractmethod
    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:
        """Return the path of the listing of repositories, with its query."""

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """Return what of these two has an effect on what is listed."""
        return visibility, affiliation

    def sieve(self, visibility: str) -> Sieve:
        """Return what may stand on a page."""
        return Sieve(visibility, ours=not self.filters)


class Anonymous(Credentials):
    """Nobody, who reads what is public of the user `username`."""

    kind = protocol.token_kind(None)

    def __init__(self, username: str | None) -> None:
        self.auth = NoAuth()
        self.secret = None
        self._username = username

    @property
    def whose(self) -> str:  # type: ignore[override]  # known only if there is a name
        """The path of the user. Raises ConfigError if there is none."""
        if self._username is None:
            raise ConfigError(
                "a token or a username is needed to know whose repositories are meant"
            )
        return f"/users/{self._username}"

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:  # noqa: ARG002  # all that it sees is public, and the user's own
        return _asked(f"{self.whose}/repos", _OLDEST_FIRST)

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002  # as above
        return "public", ("owner",)

    def sieve(self, visibility: str) -> Sieve:  # noqa: ARG002  # as above
        return Sieve("public")


class TokenHolder(Credentials):
    """A user with a token; `username` is sent with it as Basic authentication if it is given."""

    whose = "/user"

    def __init__(self, token: str, username: str | None = None) -> None:
        self.auth = BearerAuth(token) if username is None else BasicAuth(username, token)
        self.secret = token
        self.kind = protocol.token_kind(token)

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:
        wanted = {"visibility": visibility, "affiliation": ",".join(affiliation)}
        return _asked("/user/repos", {**wanted, **_OLDEST_FIRST})


class RenewedUser(TokenHolder):
    """A user whose token ends and is renewed; `name` tells one sign-in from another."""

    renews = True

    def __init__(self, auth: RenewingAuth, name: str) -> None:
        self.auth = auth
        self.secret = name
        self.kind = "GitHub App user token"


class Installation(Credentials):
    """An App where it is installed: it lists what it was given there, in GitHub's order.

    `auth` is what a client signs in with: GitHubClient(credentials=Installation(auth)).
    https://docs.github.com/rest/apps/installations
    """

    kind = "GitHub App installation"
    whose = "/app/installations"
    filters = False
    renews = True

    def __init__(self, auth: InstallationAuth) -> None:
        self.auth = self.installation = auth
        self.app = str(auth.app_id)
        # As it was given: which one it is may be found out later.
        self.secret = f"App {auth.app_id} at {auth.installation_id}"

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:  # noqa: ARG002  # GitHub takes neither here
        return _asked("/installation/repositories", {})

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002  # as above
        return visibility, ()


def _asked(path: str, query: dict[str, str]) -> str:
    asked = urlencode({**query, "per_page": str(protocol.PER_PAGE)}, safe=",")
    return f"{path}?{asked}"
