"""What must hold of whatever a server says: asked by hypothesis, and by the fuzzer in decoder.py.

Each check takes what came over the wire, and fails or raises what the product must not raise.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from requests.structures import CaseInsensitiveDict

from tests.support.inside.answers import (
    Page,
    VisibilityFilter,
    decode_page,
    decode_repository,
    decode_user,
)
from tests.support.inside.core import NotJson, RestError, UnexpectedAnswer
from tests.support.inside.github import Item, Rejected, classify_answer, protocol
from tests.support.inside.load import content_hash, hash_items, stored_values
from tests.support.inside.rest import (
    LONGEST_RETRY_AFTER,
    Response,
    entity_tag,
    parse_http_date,
    parse_links,
    parse_retry_after,
    read_answer,
)

URL = "https://api.example.com/user/repos"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

# What no database stores, see sync/forges/text.py.
UNSTORABLE = frozenset({"\0", *map(chr, range(0xD800, 0xE000))})

HEADERS = (
    *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "ETag"),
    *("X-OAuth-Scopes", "GitHub-Authentication-Token-Expiration", "X-GitHub-SSO", "Content-Type"),
    "X-Accepted-GitHub-Permissions",
)
_CREDENTIAL = re.compile(r'"temp_clone_token"\s*:')


def response(
    body: bytes = b"[]", headers: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    """Return an answer as the transport hands it on."""
    fields = CaseInsensitiveDict(headers or {})
    return Response(method="GET", url=URL, status=status, headers=fields, body=body)


# Bodies


def check_page(body: bytes) -> Page | None:
    """Check that a listing is a page, or an error of ours, and each object an item or rejected."""
    try:
        page = decode_page(response(body), URL, "key", None, VisibilityFilter("all"))
    except (NotJson, UnexpectedAnswer):
        return None
    assert page.item_count == len(page.items) + len(page.rejected)
    positions = [item.position for item in page.items] + [r.position for r in page.rejected]
    assert sorted(positions) == list(range(page.item_count))
    for item in page.items:
        _check_item(item)
    for rejected in page.rejected:
        _check_rejected(rejected)
    _check_public(page, decode_page(response(body), URL, "key", None, VisibilityFilter("public")))
    return page


def _check_item(item: Item) -> None:
    assert 1 <= item.record.id < 2**63
    assert UNSTORABLE.isdisjoint(item.payload or "")
    for value in stored_values(item.record):
        if isinstance(value, str):
            assert UNSTORABLE.isdisjoint(value)
        if isinstance(value, datetime):
            assert value.tzinfo is UTC
    assert len(content_hash(item.record)) == 32
    check_no_credential(item.payload)


def _check_rejected(rejected: Rejected) -> None:
    assert rejected.reason
    assert rejected.id is None or 0 <= rejected.id < 2**63
    check_no_credential(rejected.payload)


def _check_public(every: Page, public: Page) -> None:
    """Check that of two readings of a page, the public one lacks the private ones and no others."""
    private = tuple(item.record.id for item in every.items if item.record.private)
    assert public.skipped_ids == private
    assert not any(item.record.private for item in public.items)
    assert len(public.items) + len(private) == len(every.items)
    for rejected in public.rejected:
        assert rejected.private is False or rejected.payload is None
    assert len(hash_items(public.items)) <= len(public.items)


def check_no_credential(payload: str | None) -> None:
    """Check that no object of `payload` has the field that may hold a credential."""

    def look(pairs: list[tuple[str, object]]) -> None:
        assert all(name != "temp_clone_token" for name, _ in pairs), "a credential is kept"

    if payload is None:
        return
    try:
        json.loads(payload, object_pairs_hook=look, parse_int=str)
    except (ValueError, RecursionError):  # cut, or no JSON at all
        assert not _CREDENTIAL.search(payload), "a credential is kept"


def check_user(body: bytes) -> None:
    """Check that what should be a user or a repository is one, or an error of ours."""
    with contextlib.suppress(NotJson, UnexpectedAnswer):
        assert decode_user(response(body)).id >= 1
    with contextlib.suppress(NotJson, UnexpectedAnswer):
        _check_item(decode_repository(response(body)))
    for status in (401, 403, 404, 422, 429, 451, 500):
        error = classify_answer(response(body, status=status), NOW)
        assert isinstance(error, RestError)
        assert str(error).isprintable()


def check_token(body: bytes) -> None:
    """Check that what should be a token is one, or an error of ours, and safe to show."""
    answer = read_answer(response(body))
    assert (answer.error + answer.description).isprintable()
    with contextlib.suppress(UnexpectedAnswer):
        granted = answer.granted(NOW)
        assert granted.token.isprintable()
        assert granted.expires_at is None or granted.expires_at >= NOW


# Headers


def check_links(text: str) -> None:
    """Check that any `Link` header gives addresses, each under a name without spaces."""
    for rel, target in parse_links(text, URL).items():
        assert rel == rel.lower()
        assert len(rel.split()) == 1
        assert isinstance(target, str)


def check_retry_after(text: str, date: str = "") -> None:
    """Check that any `Retry-After` is nothing, or a moment between now and a day from now."""
    moment = parse_retry_after(response(headers={"Retry-After": text, "Date": date}), NOW)
    assert moment is None or NOW <= moment <= NOW + LONGEST_RETRY_AFTER


def check_headers(text: str, more: str) -> None:
    """Check that any headers about time, quota and credentials are read or passed over."""
    moment = parse_http_date(text)
    assert moment is None or moment.utcoffset() == timedelta(0)
    headers = dict.fromkeys(HEADERS, text) | {"Date": more}
    answer = response(headers=headers)
    quota = protocol.rate_limit(answer, NOW)
    if quota is not None:
        assert quota.limit >= 0
        assert quota.remaining >= 0
        assert NOW <= quota.reset <= NOW + LONGEST_RETRY_AFTER
    expiry = protocol.token_expiry(answer.headers)
    assert expiry is None or expiry.tzinfo is UTC
    tag = entity_tag(answer.headers)
    assert tag is None or (tag.isprintable() and len(tag) <= 255)
    for scope in protocol.scopes(answer.headers) or ():
        assert scope.isprintable()
        assert len(scope.split()) == 1
    for status in (200, 304, 403, 429, 500):
        answer = response(headers=headers, status=status)
        error = classify_answer(answer, NOW)
        assert (error is None) == (status in (200, 304))
        assert str(error).isprintable()
        retry_at = getattr(error, "retry_at", None)
        assert retry_at is None or NOW <= retry_at <= NOW + LONGEST_RETRY_AFTER
        assert protocol.left_out(answer) >= 0


# What the fuzzer gives bytes to, by name. It makes text of them as http.client does.

CHECKS: dict[str, Callable[[bytes], object]] = {
    "page": check_page,
    "user": check_user,
    "token": check_token,
    "links": lambda data: check_links(data.decode("latin-1")),
    "retry-after": lambda data: check_retry_after(*_two(data)),
    "headers": lambda data: check_headers(*_two(data)),
}


def _two(data: bytes) -> tuple[str, str]:
    first, _, second = data.decode("latin-1").partition("\n")
    return first, second
