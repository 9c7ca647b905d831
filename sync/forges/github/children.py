"""Requests what a repository has, such as its releases or its traffic, by the repository's id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from sync.core import errors, origin
from sync.forges.answers import AnsweredPart, AnsweredParts, CachedPage, ChildPage
from sync.forges.github import protocol
from sync.forges.github.decode import decode_list, without_private
from sync.forges.github.session import GitHubSession
from sync.forges.records import Decoded, Rejected, decode_child, reading_of
from sync.forges.text import replace_unstorable
from sync.resources.figures import Figures
from sync.resources.resource import Endpoint, Resource
from sync.rest import Response
from sync.rest.entity_tag import entity_tag

T = TypeVar("T")

_MOST_PAGES = 100  # GitHub shows no more than 10,000 releases
_BY_ID = re.compile(r"/repositories/(\d+)(?:[/?#]|$)")
# Answers that another attempt at once would not change: the state of the resource tells of it.
_FINAL = (errors.Conflict, errors.Forbidden, errors.Computing)
_NO_CONTENT = 204
_NOT_MODIFIED = 304


def fetch_children(
    client: GitHubSession, resource: Resource, repository_id: int, known: Mapping[str, CachedPage]
) -> tuple[ChildPage, ...]:
    """Return every page of `resource` that the repository has. Raises RestErrors.

    `known` are remembered pages, by key: these are requested conditionally.
    """
    (endpoint,) = resource.endpoints
    query = endpoint.query or urlencode(protocol.PAGING.query)
    url: str | None = f"{_address(client, endpoint, repository_id)}?{query}"
    pages: list[ChildPage] = []
    while url is not None:
        if len(pages) == _MOST_PAGES or any(page.next_url == url for page in pages[:-1]):
            message = f"more than {len(pages)} pages, or the same again"
            raise errors.UnexpectedAnswer(message, url=url)
        page = _page(client, resource, url, known)
        pages.append(page)
        url = page.next_url
    return tuple(pages)


def fetch_figures(
    client: GitHubSession,
    figures: Figures,
    repository_id: int,
    known: Mapping[str, CachedPage],
    url: str | None,
) -> AnsweredParts:
    """Return the answers of the endpoints of `figures`, up to the first error.

    With `url`, that page alone. `known` are remembered pages, by key. Raises RestErrors if
    there is no answer.
    """
    parts: list[AnsweredPart] = []
    for endpoint in figures.endpoints:
        address = url or _address(client, endpoint, repository_id)
        if url is None and endpoint.query:
            address = f"{address}?{endpoint.query}"
        try:
            parts.append(_part(client, endpoint, address, known))
        except errors.RestError as error:
            if not parts or isinstance(error, errors.RateLimited):
                raise
            return AnsweredParts(tuple(parts), error)
    return AnsweredParts(tuple(parts))


def probe(client: GitHubSession, resource: Resource | Figures, repository_id: int) -> None:
    """Send the first request for a resource of a repository. Raises RestErrors."""
    endpoint = resource.endpoints[0]
    query = endpoint.query or "per_page=1"
    client.fetch(f"{_address(client, endpoint, repository_id)}?{query}", lambda _: None)


def _address(client: GitHubSession, endpoint: Endpoint, repository_id: int) -> str:
    return client.base_url + endpoint.path.format(id=repository_id)


def _part(
    client: GitHubSession, endpoint: Endpoint, url: str, known: Mapping[str, CachedPage]
) -> AnsweredPart:
    key = client.page_key(url)
    before, asked = known.get(key), client.clock()

    def decode(response: Response) -> AnsweredPart:
        at, until = protocol.span(response, asked, client.clock())
        following = _following(client, url, response) if endpoint.paged else None
        if response.status == _NOT_MODIFIED and before is not None:
            following = following or before.next_url
            return AnsweredPart(endpoint.part, key, before.etag, None, at, until, following)
        body, _ = replace_unstorable(response.body)
        try:
            msgspec.json.decode(body, type=msgspec.Raw)
        except (msgspec.DecodeError, RecursionError, ValueError):
            is_json = False
        else:
            is_json = True
        if not is_json:
            raise response.error(errors.NotJson, "the answer is not JSON")
        etag = entity_tag(response.headers)
        return AnsweredPart(endpoint.part, key, etag, body, at, until, following)

    return _asked(client, url, decode, before)


def _page(
    client: GitHubSession, resource: Resource, url: str, known: Mapping[str, CachedPage]
) -> ChildPage:
    key = client.page_key(f"{reading_of(resource.record)} {url}")
    before = known.get(key)

    def decode(response: Response) -> ChildPage:
        etag = entity_tag(response.headers)
        following = _following(client, url, response)
        if response.status == _NOT_MODIFIED and before is not None:
            following = following or before.next_url
            return ChildPage(key, before.etag, True, following, tuple(before.ids))
        body, _ = replace_unstorable(response.body)
        read = [
            decode_child(resource, bytes(raw), position, protocol.SECRET_FIELDS)
            for position, raw in enumerate(decode_list(response, body, resource.name))
        ]
        decoded = [item for item in read if isinstance(item, Decoded)]
        rejected = tuple(item for item in read if isinstance(item, Rejected))
        flag, withheld = resource.withheld_by, frozenset[int]()
        if flag is not None:
            withheld = frozenset(i.record.id for i in decoded if getattr(i.record, flag))
            rejected = tuple(map(without_private, rejected))
        items = tuple(item for item in decoded if item.record.id not in withheld)
        told = [item.record.id for item in items]
        ids = (*told, *(item.id for item in rejected if item.id is not None))
        return ChildPage(key, etag, False, following, ids, items, rejected, tuple(withheld))

    return _asked(client, url, decode, before)


def _asked(
    client: GitHubSession,
    url: str,
    decode: Callable[[Response], T],
    before: CachedPage | None,
) -> T:
    """Request `url`, conditionally if a page is known `before`. Raises RestErrors."""

    def usable(response: Response) -> T:
        _require_same_repository(url, response.url)
        if response.status == 202:
            raise response.error(errors.Computing, "GitHub is still computing this")
        if response.status == _NO_CONTENT:
            raise response.error(errors.Conflict, "there is nothing yet")
        return decode(response)

    return client.fetch(
        url,
        usable,
        headers={"If-None-Match": before.etag} if before else None,
        give_up=lambda error, _: isinstance(error, _FINAL),
    )


def _following(client: GitHubSession, url: str, response: Response) -> str | None:
    """Return the address of the next page. Raises ForeignOrigin."""
    following = response.links.get("next")
    if following is None:
        return None
    if client.rewrite_links:
        following = origin.brought_home(url, following)
    origin.require_same_origin(url, following, "the link to the next page")
    _require_same_repository(url, following)
    return following


def _require_same_repository(url: str, other: str) -> None:
    """Raise UnexpectedAnswer if a redirect or a link leads to another repository."""
    asked, told = _BY_ID.search(url), _BY_ID.search(other)
    if asked and told and asked[1] != told[1]:
        message = f"asked for repository {asked[1]}, led to repository {told[1]}"
        raise errors.UnexpectedAnswer(message, method="GET", url=url)
