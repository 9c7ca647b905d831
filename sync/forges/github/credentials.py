"""Ways to sign in to GitHub, and the requests that each way needs. No I/O here."""

from __future__ import annotations

from urllib.parse import urlencode

from sync.core.errors import ConfigError
from sync.forges.answers import VisibilityFilter
from sync.forges.credentials import Credentials
from sync.forges.github import protocol
from sync.forges.github.app import InstallationAuth
from sync.rest import BasicAuth, BearerAuth, NoAuth, RenewingAuth

_NO_USER = (
    "a token that begins with ghs_, such as that of a job in GitHub Actions, belongs to an App's "
    "installation, not to a user with repositories to list; use a user's token, or the App "
    "itself by app_id"
)
_OLDEST_FIRST = {"sort": "created", "direction": "asc"}


class Anonymous(Credentials):
    """No credentials; reads the public repositories of the user `username`."""

    kind = protocol.token_kind(None)

    def __init__(self, username: str | None) -> None:
        self.auth = NoAuth()
        self.secret = None
        self._username = username

    @property
    def whose(self) -> str:  # type: ignore[override]  # known only if there is a name
        """The path of the user. Raises ConfigError without a username."""
        if self._username is None:
            raise ConfigError("a token or a username is needed, to know whose repositories to list")
        return f"/users/{self._username}"

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:  # noqa: ARG002  # all that it sees is public, and the user's own
        return _asked(f"{self.whose}/repos", _OLDEST_FIRST)

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002  # as above
        return "public", ("owner",)

    def visibility_filter(self, visibility: str) -> VisibilityFilter:  # noqa: ARG002  # as above
        return VisibilityFilter("public")


class TokenHolder(Credentials):
    """A user with a token; `username` is sent with it as Basic authentication if it is given."""

    whose = "/user"

    def __init__(self, token: str, username: str | None = None) -> None:
        self.auth = BearerAuth(token) if username is None else BasicAuth(username, token)
        self.secret = token
        self.kind = protocol.token_kind(token)
        self.has_scopes = self.kind in ("classic token", "OAuth token", "token")
        self.hint = _NO_USER if token.startswith("ghs_") else ""

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:
        wanted = {"visibility": visibility, "affiliation": ",".join(affiliation)}
        return _asked("/user/repos", {**wanted, **_OLDEST_FIRST})


class RenewedUser(TokenHolder):
    """A user whose token expires and is renewed; `name` tells one login from another."""

    renews = True

    def __init__(self, auth: RenewingAuth, name: str) -> None:
        self.auth = auth
        self.secret = name
        self.kind = "GitHub App user token"


class Installation(Credentials):
    """An App's installation: lists the repositories that it can access, in GitHub's order.

    `auth` are its credentials: GitHubClient(credentials=Installation(auth)).
    https://docs.github.com/rest/apps/installations
    """

    kind = "GitHub App installation"
    whose = "/app/installations"
    filters = False
    renews = True

    def __init__(self, auth: InstallationAuth) -> None:
        self.auth = self.installation = auth
        self.app = str(auth.app_id)
        # The id as given, even if it is None: the installation may be found later.
        self.secret = f"App {auth.app_id} at {auth.installation_id}"

    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:  # noqa: ARG002  # GitHub takes neither here
        return _asked("/installation/repositories", {})

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:  # noqa: ARG002  # as above
        return visibility, ()


def _asked(path: str, query: dict[str, str]) -> str:
    asked = urlencode({**query, **protocol.PAGING.query}, safe=",")
    return f"{path}?{asked}"
