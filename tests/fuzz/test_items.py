"""Whatever a server says of repositories: items or rejections, never anything else."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fuzz.checks import check_no_credential, check_page, check_user
from tests.fuzz.strategies import JSON, OBJECTS, PAGES, json_bytes, near_repositories
from tests.support.database import repository
from tests.support.examples import examples
from tests.support.inside.github import Item, Rejected, decode_item
from tests.support.inside.load import content_hash

SECRET = "AAFAKEFAKEFAKE"
NEAR = st.one_of(PAGES, json_bytes(JSON), OBJECTS)


@pytest.mark.matrix("http.odd-json", "data.nul", "data.surrogate", "data.bad-id")
@examples(300)
@given(body=PAGES)
@example(body=b"[" * 100_000)
@example(body=b"[" + b"9" * 5_000 + b"]")
@example(body=b'[{"a":1e400}]')
def test_a_page_of_odd_objects_is_a_page_of_items_and_rejections(body: bytes) -> None:
    check_page(body)


@pytest.mark.matrix("http.odd-json", "http.another-shape", "http.not-json")
@examples(100)
@given(body=NEAR | st.binary())
def test_a_body_that_is_no_list_of_repositories_is_an_error_of_ours(body: bytes) -> None:
    check_page(body)
    check_user(body)


@pytest.mark.matrix("http.cut-short", "http.not-json")
@examples(100)
@given(
    body=PAGES, where=st.floats(0, 1), pack=st.sampled_from([bytes, gzip.compress, zlib.compress])
)
def test_a_body_that_ends_early_or_arrives_packed_is_an_error_of_ours(
    body: bytes, where: float, pack: Any
) -> None:
    sent = pack(body)
    check_page(sent[: int(len(sent) * where)])
    check_user(sent[: int(len(sent) * where)])


@examples(50)
@given(body=PAGES, at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_byte_that_was_changed_on_the_way_breaks_nothing(body: bytes, at: int, byte: int) -> None:
    at %= len(body)
    check_page(body[:at] + bytes([byte]) + body[at + 1 :])


@examples(50)
@given(data=st.data(), fields=near_repositories())
def test_the_order_of_keys_does_not_make_a_repository_another(
    data: st.DataObject, fields: dict[str, Any]
) -> None:
    other = dict(data.draw(st.permutations(list(fields.items()))))
    one, two = (decode_item(json.dumps(each).encode()) for each in (fields, other))
    if isinstance(one, Item):
        assert isinstance(two, Item)
        assert content_hash(one.record) == content_hash(two.record)
    else:
        assert isinstance(two, Rejected)


def nested(inner: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Return JSON objects whose keys may be there twice, made of such objects."""
    names = st.sampled_from([b"a", b"temp_clone_token", rb"temp\u005fclone_token", rb"\u0000"])
    pairs = st.lists(st.tuples(names, inner), max_size=3)
    objects = pairs.map(lambda all_: b"{" + b",".join(b'"%s":%s' % pair for pair in all_) + b"}")
    return objects | objects.map(lambda body: b"[%s]" % body)


HOLDING = st.recursive(st.sampled_from([b'"AAFAKEFAKEFAKE"', b"1", b"null", rb'"\u0001"']), nested)


@examples(200)
@given(value=HOLDING, right=st.booleans())
@example(value=b'{"temp_clone_token":"AAFAKEFAKEFAKE"},"a":1', right=True)
def test_a_credential_is_kept_neither_of_an_item_nor_of_what_is_rejected(
    value: bytes, right: bool
) -> None:
    fields = json.dumps(repository() if right else repository(name=None)).encode()
    item = decode_item(fields[:-1] + b',"a":%s}' % value)
    assert isinstance(item, Item) or not right
    check_no_credential(item.payload)
