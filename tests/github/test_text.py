"""Text that databases cannot store, replaced before it gets there."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.inside.github import Item, decode_item, replace_unstorable

REPOSITORY = b"""{"id": 1, "name": "one", "full_name": "octo/one", "private": false,
"description": "ESCAPE", "ESCAPE": 1}"""
quick = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(
    ("sent", "kept", "count"),
    [
        (rb'"a\u0000b"', "a\ufffdb", 1),
        (rb'"\u0000\u0000"', "\ufffd\ufffd", 2),
        (rb'"\ud83d"', "\ufffd", 1),
        (rb'"\uDE00 \uD83D"', "\ufffd \ufffd", 2),
        (rb'"\ud83d\u0000"', "\ufffd\ufffd", 2),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd😀", 1),
        (rb'"\ud83d\ude00"', "😀", 0),
        (rb'"\ud83d\n\ude00"', "\ufffd\n\ufffd", 2),
        (rb'"\\u0000"', r"\u0000", 0),
        (rb'"\\\u0000"', "\\\ufffd", 1),
        (rb'"\\\\u0000 \\ud83d"', r"\\u0000 \ud83d", 0),
        (rb'"\u00001"', "\ufffd1", 1),
        (rb'"u0000 \u0001 \ud7ff \ue000"', "u0000 \x01 \ud7ff \ue000", 0),
        (b'"\xff"', "\ufffd", 1),
        (b'"\xef\xbf\xbd \\u0000"', "\ufffd \ufffd", 1),
        (b'"\xef\xbf\xbd \xff"', "\ufffd \ufffd", 1),
    ],
)
def test_text_that_cannot_be_stored_is_replaced_and_counted(
    sent: bytes, kept: str, count: int
) -> None:
    body, replaced = replace_unstorable(sent)
    assert (json.loads(body), replaced) == (kept, count)


@pytest.mark.parametrize("escape", [r"\u0000", r"\udfff"])
def test_an_item_with_such_text_is_accepted_once_it_is_replaced(escape: str) -> None:
    body, replaced = replace_unstorable(REPOSITORY.replace(b"ESCAPE", escape.encode()))
    item = decode_item(body)
    assert isinstance(item, Item)
    assert (item.record.description, replaced) == ("\ufffd", 2)
    assert "\0" not in (item.payload or "\0")


CHARACTERS = st.characters(codec=None, categories=None)
ANY_TEXT = st.text(st.sampled_from('\\u0dD8fF\0\ud800\udc00😀\ufffd"') | CHARACTERS)


@quick
@given(ANY_TEXT, st.booleans())
def test_text_never_holds_a_nul_or_half_a_pair_once_replaced(text: str, ascii_only: bool) -> None:
    sent = json.dumps({text: [text]}, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    body, replaced = replace_unstorable(sent)
    ((key, [value]),) = json.loads(body.decode()).items()
    assert key == value
    assert not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)
    assert (replaced == 0) == (body == sent)


@quick
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.booleans())
def test_clean_json_is_left_as_it_is(text: str, ascii_only: bool) -> None:
    body = json.dumps([text, {text: text}], ensure_ascii=ascii_only).encode()
    assert replace_unstorable(body) == (body, 0)


@quick
@given(st.binary())
def test_any_bytes_become_text(body: bytes) -> None:
    replace_unstorable(body)[0].decode()
