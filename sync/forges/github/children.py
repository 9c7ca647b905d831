"""Requests one resource of a repository, such as its releases, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from sync.core import origin
from sync.core.errors import NotJson, RestError, UnexpectedAnswer
from sync.forges.answers import CachedPage, ChildPage
from sync.forges.github import protocol
from sync.forges.github.decode import decode_list
from sync.forges.github.session import GitHubSession
from sync.forges.records import Decoded, Rejected, decode_child, reading_of
from sync.forges.text import replace_unstorable
from sync.resources.resource import Resource, Shape
from sync.rest import Response
from sync.rest.entity_tag import entity_tag

_MOST_PAGES = 100  # GitHub shows no more than 10,000 releases


def fetch_children(
    client: GitHubSession, resource: Resource, repository_id: int, known: Mapping[str, CachedPage]
) -> tuple[ChildPage, ...]:
    """Return every page of `resource` that the repository has. Raises RestErrors.

    `known` are remembered pages, by key: these are requested conditionally.
    """
    if resource.endpoint is None:
        raise LookupError(f"{resource.name} has no endpoint")
    url: str | None = client.base_url + resource.endpoint.path.format(repository_id=repository_id)
    if resource.shape is Shape.LISTING:
        url = f"{url}?{urlencode(protocol.PAGING.query)}"
    pages: list[ChildPage] = []
    while url is not None:
        if len(pages) == _MOST_PAGES or any(page.next_url == url for page in pages[:-1]):
            raise UnexpectedAnswer(f"more than {len(pages)} pages, or the same again", url=url)
        page = _page(client, resource, url, known)
        pages.append(page)
        url = page.next_url
    return tuple(pages)


def _page(
    client: GitHubSession, resource: Resource, url: str, known: Mapping[str, CachedPage]
) -> ChildPage:
    key = client.page_key(f"{reading_of(resource.record)} {url}")
    before = known.get(key)

    def decode(response: Response) -> ChildPage:
        etag = entity_tag(response.headers)
        following = response.links.get("next")
        if following is not None:
            if client.rewrite_links:
                following = origin.brought_home(url, following)
            origin.require_same_origin(url, following, "the link to the next page")
        if response.status == 304 and before is not None:
            following = following or before.next_url
            return ChildPage(key, before.etag, True, following, tuple(before.ids))
        if resource.shape is Shape.OBJECT:
            return ChildPage(key, etag, False, None, items=_set(response, resource))
        body, _ = replace_unstorable(response.body)
        read = [
            decode_child(resource, bytes(raw), position, protocol.SECRET_FIELDS)
            for position, raw in enumerate(decode_list(response, body, resource.name))
        ]
        items = tuple(item for item in read if isinstance(item, Decoded))
        rejected = tuple(item for item in read if isinstance(item, Rejected))
        told = [item.record.id for item in items]
        ids = (*told, *(item.id for item in rejected if item.id is not None))
        return ChildPage(key, etag, False, following, ids, items, rejected)

    headers = {"If-None-Match": before.etag} if before else None
    return client.fetch(url, decode, headers=headers)


def _set(response: Response, resource: Resource) -> tuple[Decoded, ...]:
    """Return an object's names and values as records of two fields."""
    name, value = resource.record.__struct_fields__
    body, _ = replace_unstorable(response.body)
    try:
        told = msgspec.json.decode(body, type=dict[str, Any])
        pairs = [{name: key, value: number} for key, number in told.items()]
        records = msgspec.convert(pairs, list[resource.record])  # type: ignore[name-defined]
    except (msgspec.ValidationError, OverflowError) as error:
        problem: RestError = response.error(
            UnexpectedAnswer, f"not {resource.name}: {str(error)[:200]}"
        )
    except (msgspec.DecodeError, RecursionError, ValueError):
        problem = response.error(NotJson, "the answer is not JSON")
    else:
        return tuple(Decoded(record, None) for record in records)
    raise problem
