"""A way to sign in to a forge, and the requests that it needs. No I/O here."""

from __future__ import annotations

from abc import abstractmethod

from requests.auth import AuthBase

from sync.forges.answers import VisibilityFilter


class Credentials:
    """One of the ways to sign in.

    `auth` is sent with each request. `secret` is the key of ETags and rate limits; None
    without credentials. `kind` is its name for people. `whose` is the path that returns the
    identity. `filters` is whether the forge filters the listing by visibility. `has_scopes`
    is whether the forge may report scopes. `app` is the App, if listing and quota are those
    of an App, not of a user. `renews` is whether expiring tokens are renewed, so that nobody
    has to act. `hint` is the likely reason if the forge refuses.
    """

    auth: AuthBase
    secret: str | None
    kind: str
    whose: str
    filters = True
    has_scopes = False
    app: str | None = None
    renews = False
    hint = ""

    @property
    def signs_in(self) -> bool:
        """Whether it sends credentials."""
        return self.secret is not None

    @abstractmethod
    def listing(self, visibility: str, affiliation: tuple[str, ...]) -> str:
        """Return the path of the listing of repositories, with its query."""

    def covers(self, visibility: str, affiliation: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        """Return the visibility and affiliation that take effect in the listing."""
        return visibility, affiliation

    def visibility_filter(self, visibility: str) -> VisibilityFilter:
        """Return the filter for the listing's pages."""
        return VisibilityFilter(visibility, ours=not self.filters)
