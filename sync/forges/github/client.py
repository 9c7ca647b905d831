"""A client for GitHub's REST API, on top of the generic REST client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from sync.core.errors import ConfigError
from sync.forges.answers import AnsweredParts, CachedPage, ChildPage, Found, Identity, Page
from sync.forges.forge import AFFILIATIONS, Visibility
from sync.forges.github import protocol
from sync.forges.github.children import fetch_children, fetch_figures, probe
from sync.forges.github.credentials import Installation
from sync.forges.github.decode import (
    decode_found,
    decode_page,
    decode_repository,
    decode_user,
    identity,
)
from sync.forges.github.session import GitHubSession
from sync.forges.page_queue import PageQueue
from sync.forges.pages import Pages
from sync.forges.records import Item, User
from sync.forges.walk import walk
from sync.resources.figures import Figures
from sync.resources.repositories import Repository
from sync.resources.resource import Resource
from sync.rest import Response


class GitHubClient(GitHubSession):
    """A session with GitHub for one user.

    With `token`, it lists the repositories that the token can see; `basic` sends
    `username` and token by Basic authentication. With only `username` it reads that
    user's public repositories without credentials. `credentials` are other ways to
    sign in, such as an App's `Installation`. All are validated when set, here or later.
    Clients are independent of each other.

    `api_url` is `https://api.github.com`, or `https://HOST/api/v3` for an
    Enterprise Server. `concurrency` is the number of pages in flight.
    `reserve` is the share of the hourly quota that is not used. `limits` is the
    rate-limit state: give one `Limits` to all clients of the same user. With
    `rewrite_links`, links to another host are followed at this one, for a proxy
    before the server. See
    `RestClient` for `timeout`, `retry`, `stop`, `clock` and the errors.
    https://docs.github.com/rest/authentication/authenticating-to-the-rest-api
    """

    def check(self) -> Identity:
        """Test the API and the credentials with one request, before real use.

        Raises BadCredentials, Forbidden, ConnectFailed and other RestErrors.
        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        return self.identify()

    def identify(self, etag: str | None = None) -> Identity:
        """Return the identity of this client; with `etag`, by a conditional request.

        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        kind = self.credentials.kind
        if isinstance(self.credentials, Installation):
            response, where = self.credentials.installation.ask()
            told = identity(response, where.account, kind, self.clock())
            # ETag and quota in this answer belong to the App itself.
            return replace(told, etag=None, rate_limit=None, installed=where)

        def decode(response: Response) -> Identity:
            user = None if response.status == 304 else decode_user(response)
            told = identity(response, user, kind, self.clock())
            return replace(told, etag=told.etag or etag)

        return self.fetch(
            self.credentials.whose, decode, headers={"If-None-Match": etag} if etag else None
        )

    def get_authenticated_user(self) -> User:
        """Return the user who owns the token. Raises BadCredentials.

        https://docs.github.com/rest/users/users#get-the-authenticated-user
        """
        return self.fetch("/user", decode_user)

    def get_user(self, login: str) -> User:
        """Return the user or organization called `login`. Raises NotFound.

        https://docs.github.com/rest/users/users#get-a-user
        """
        if not protocol.is_login(login):
            raise ConfigError("the login is not a GitHub login (letters, digits and hyphens)")
        return self.fetch(f"/users/{login}", decode_user)

    def get_repository(self, repository_id: int) -> Repository:
        """Return the repository with the id `repository_id`, whatever its present name.

        Raises NotFound. GitHub's page documents the request by name, and the answer.
        https://docs.github.com/rest/repos/repos#get-a-repository
        """
        return self.repository_by_id(repository_id).record

    def repository_by_id(self, repository_id: int) -> Item:
        """Return the repository as an item of a listing. Raises NotFound, Blocked.

        https://docs.github.com/rest/repos/repos#get-a-repository
        """
        return self.fetch(f"/repositories/{int(repository_id)}", decode_repository)

    def repository_if_changed(self, repository_id: int, etag: str | None) -> Found:
        """Return the repository and its ETag; without the repository if `etag` still matches.

        https://docs.github.com/rest/repos/repos#get-a-repository
        """
        return self.fetch(
            f"/repositories/{int(repository_id)}",
            decode_found,
            headers={"If-None-Match": etag} if etag else None,
        )

    def repository_pages(
        self,
        *,
        visibility: Visibility = "public",
        affiliation: tuple[str, ...] = AFFILIATIONS,
        cached: Mapping[str, CachedPage] | None = None,
    ) -> Iterator[Page]:
        """Yield the pages of the user's repositories, 100 each, oldest repository first.

        In order of creation, a listing grows only at its end: no new repository can push an
        unseen one onto a page already read. `visibility` and `affiliation` select
        repositories, in GitHub's words. A private repository in a public listing is left
        out, and counted. `cached` are remembered pages, by their key (see `page_key`):
        they are requested conditionally. `concurrency` pages are in flight, and as many
        again are kept ready: memory does not grow with the listing. Raises RestErrors.
        https://docs.github.com/rest/repos/repos#list-repositories-for-the-authenticated-user
        """
        # Where GitHub does not filter, one address has a different page for each visibility.
        prefix = self.page_key("" if self.credentials.filters else f"{visibility} ")
        known = {
            key.removeprefix(prefix): page
            for key, page in (cached or {}).items()
            if key.startswith(prefix)
        }
        first = self.base_url + self.credentials.listing(visibility, affiliation)
        pages = self._pages(first, known, prefix, visibility)
        return walk(
            PageQueue(first, known, self.paging), pages, self.in_background, 2 * self.concurrency
        )

    def first_page(self, *, visibility: Visibility, affiliation: tuple[str, ...]) -> Page:
        """Return only the first page, by the request of a run. Raises RestErrors.

        https://docs.github.com/rest/repos/repos#list-repositories-for-the-authenticated-user
        """
        url = self.base_url + self.credentials.listing(visibility, affiliation)
        return self._pages(url, {}, "", visibility)(url)

    def _pages(
        self, first: str, known: Mapping[str, CachedPage], prefix: str, visibility: str
    ) -> Pages:
        decode = partial(decode_page, wanted=self.credentials.visibility_filter(visibility))
        return Pages(
            self.fetch,
            decode,
            first,
            known,
            prefix,
            paging=self.paging,
            rewrite_links=self.rewrite_links,
        )

    def children(
        self, resource: Resource, repository_id: int, known: Mapping[str, CachedPage]
    ) -> tuple[ChildPage, ...]:
        """Return every page of `resource` that the repository has. Raises RestErrors.

        `known` are remembered pages, by key: these are requested conditionally.
        """
        with self.paced():
            return fetch_children(self, resource, repository_id, known)

    def figures(
        self,
        figures: Figures,
        repository_id: int,
        known: Mapping[str, CachedPage],
        url: str | None = None,
    ) -> AnsweredParts:
        """Return the answers about `figures` of a repository, up to the first error.

        With `url`, that page alone. `known` are remembered pages, by key: these are requested
        conditionally. Raises RestErrors if there is no answer.
        """
        with self.paced():
            return fetch_figures(self, figures, repository_id, known, url)

    def probe(self, resource: Resource | Figures, repository_id: int) -> None:
        """Send the first request for `resource` of a repository, to see whether it may be read.

        `repository_id` is its id. Raises RestErrors.
        """
        probe(self, resource, repository_id)
