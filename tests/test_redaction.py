"""Secrets and control characters are taken out of any text."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.inside.core import (
    as_kept,
    holds_token,
    printable,
    printable_json,
    protect,
    protect_while,
    redaction,
    scrub,
)
from tests.support.redacting import no_secrets

SECRET = "s3cr€t/+ 'w\\rd\"-1"
TOKEN = "ghp_" + "q5" * 18


@pytest.fixture(autouse=True)
def _secret_is_known() -> Iterator[None]:
    with no_secrets():
        protect(SECRET)
        yield


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        b64encode(SECRET.encode()).decode(),
        b64encode(SECRET.encode()).decode().rstrip("="),
        repr({"a": SECRET})[7:-2],
    ],
)
def test_a_known_secret_is_masked_in_every_form_it_travels_in(form: str) -> None:
    assert scrub(f"before {form} after {form}").replace("=", "") == "before *** after ***"


def test_of_two_secrets_that_begin_alike_the_longer_is_masked_whole() -> None:
    protect("common-start", "common-start-and-more")
    assert scrub("x common-start-and-more y common-start z") == "x *** y *** z"


@pytest.mark.parametrize("short", ["", "a", "public", "12345"])
def test_text_too_short_for_a_secret_masks_nothing(short: str) -> None:
    if len(short) < 6:
        protect(short)
    assert scrub("a public word, 12345") == "a public word, 12345"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("https://me:pw@example.com/x", "https://***@example.com/x"),
        ("https://pw@example.com", "https://***@example.com"),
        ("mysql://me:***@h:3306/db", "mysql://me:***@h:3306/db"),
        ("https://me:***@pw@example.com", "https://***@example.com"),
        ("HTTPS://me:pw@example.com", "HTTPS://***@example.com"),
        ("https://me:p@ss@w0rd@example.com/x", "https://***@example.com/x"),
        ("postgresql+psycopg://me:pw@h:5432/db", "postgresql+psycopg://***@h:5432/db"),
        ("a https://u:p@h b http://v:q@i c", "a https://***@h b http://***@i c"),
        ("https://example.com/@me", "https://example.com/@me"),
        ("https://example.com/?to=me@example.com", "https://example.com/?to=me@example.com"),
        ("write to me@example.com", "write to me@example.com"),
    ],
)
def test_credentials_in_a_url_are_masked_and_nothing_else_of_it(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "private-token", "client_secret", "password", "key", "api_key"),
        *("apikey", "api-key", "auth", "code", "X-Amz-Signature", "ACCESS_TOKEN", "sig"),
    ],
)
def test_a_parameter_of_a_telling_name_is_masked(name: str) -> None:
    url = f"https://h/x?page=2&{name}=abc%20d&sort=name#top"
    assert scrub(url) == f"https://h/x?page=2&{name}=***&sort=name#top"
    assert scrub(f"GET /x?{name}=abc failed") == f"GET /x?{name}=*** failed"


@pytest.mark.parametrize(
    "text", ["https://h/x?page=2&sort=name", "https://h/token=5", "x=1 & y=2", "keyboard=5"]
)
def test_a_parameter_of_another_name_is_left_alone(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize("prefix", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"])
def test_a_token_of_github_is_masked_though_nobody_told_of_it(prefix: str) -> None:
    token = prefix + "q5" * 18
    assert scrub(f"bad credentials: {token}!") == "bad credentials: ***!"
    assert scrub(f"Bearer_{token}") == "Bearer_***"
    assert holds_token(token)


def test_a_fine_grained_token_is_masked_whole() -> None:
    token = "github_pat_" + "q5" * 11 + "_" + "q5" * 29
    assert scrub(f"'{token}'") == "'***'"


@pytest.mark.parametrize(
    "text", ["ghp_short", "gha_" + "q" * 36, "high_score", "github_pat_", "roughs_" + "q" * 36]
)
def test_text_that_only_resembles_a_token_is_left_alone(text: str) -> None:
    assert scrub(text) == text
    assert not holds_token(text)


def test_masking_is_not_undone_by_masking_again() -> None:
    text = f"https://me:pw@h/?token=x&y={TOKEN} {SECRET}"
    assert scrub(scrub(text)) == scrub(text) == "https://***@h/?token=***&y=*** ***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, with ümläut and 日本", "plain, with ümläut and 日本"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("a\tb", "a\\tb"),
        ("\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"),
        ("\x00\x7f\x9b", "\\x00\\x7f\\x9b"),
        ("left\u202eright", "left\\u202eright"),
        ("line\u2028line", "line\\u2028line"),
        ("lone \ud800", "lone \\ud800"),
        ("hidden \U000e0041", "hidden \\U000e0041"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_any_text_becomes_one_harmless_line(text: str) -> None:
    shown = printable(scrub(text))
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


@given(st.text())
def test_any_json_becomes_harmless_and_keeps_its_value(text: str) -> None:
    shown = printable_json(msgspec.json.encode({"key": text}).decode())
    assert shown.isprintable()
    assert msgspec.json.decode(shown) == {"key": text}


def test_tokens_that_end_are_masked_for_long_and_do_not_pile_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", len(redaction._short_lived) + 5)
    before = len(redaction._longest_first)
    tokens = [f"passing-token-number-{n:03}" for n in range(300)]
    for token in tokens:
        redaction.protect_short_lived(token)
        assert redaction.scrub(f"a {token} b") == "a *** b"
    assert redaction.scrub(f"a {tokens[-5]} b") == "a *** b"
    assert redaction.scrub(tokens[0]) == tokens[0]  # ended long ago
    assert len(redaction._longest_first) < before + 50


def test_a_secret_that_stays_is_not_forgotten_with_those_that_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", len(redaction._short_lived) + 5)
    redaction.protect("staying-token-number-1")
    redaction.protect_short_lived("staying-token-number-1")
    redaction.protect_short_lived("staying-token-number-2")
    redaction.protect("staying-token-number-2")
    for n in range(20):
        redaction.protect_short_lived(f"passing-again-number-{n}")
    assert redaction.scrub("staying-token-number-1") == "***"
    assert redaction.scrub("staying-token-number-2") == "***"


def test_long_secrets_that_pass_take_no_more_memory_than_short_ones() -> None:
    for number in range(300):
        redaction.protect_short_lived(f"{number}-" + "x" * 8_000)
    assert sum(map(len, redaction._short_lived)) <= 1_000_000
    assert redaction.scrub("299-" + "x" * 8_000) == "***"


def test_an_installation_token_with_a_web_token_in_it_is_known_by_its_shape() -> None:
    for app in ("3001", "Iv23liabcdefghijklmn"):
        token = f"ghs_{app}_eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3-DUy_A.c2lnbmF0dXJl-_x"
        assert redaction.scrub(f"got {token}, and went") == "got ***, and went"
        assert redaction.scrub(f"got {token[:50]}") == "got ***"
        assert redaction.holds_token(token)


@pytest.mark.parametrize("word", ["octocat", "postgres", "Swordfish", "GITHUB"])
def test_a_password_that_is_a_word_is_masked_where_it_is_a_password_and_nowhere_else(
    word: str,
) -> None:
    protect(word)
    assert scrub(f"{word} is not to be read, {word}") == f"{word} is not to be read, {word}"
    assert scrub(f"mysql://me:{word}@h/db") == "mysql://***@h/db"
    assert scrub(f"host=h password={word} user={word}") == f"host=h password=*** user={word}"
    assert scrub(f"password='{word} {word}' dbname=x") == "password=*** dbname=x"


def test_data_is_kept_as_it_is_unless_it_can_only_be_a_secret() -> None:
    protect("octocat-1", "a-token-as-long-as-they-are-0001")
    assert scrub("octocat-1") == "***"
    assert as_kept("octocat-1") == "octocat-1"
    assert as_kept("octocat-1/of-a-token-as-long-as-they-are-0001") == "***/of-***"
    assert as_kept(TOKEN) == "***"


class Owner:
    """Somebody who has a secret."""


def test_a_secret_is_masked_as_long_as_anybody_has_it_and_forgotten_when_others_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", 5)
    owners = [Owner(), Owner()]
    protect_while(owners[0], "shared-secret-number-1")
    protect_while(owners[1], "shared-secret-number-1")
    for expected in ("***", "***", "shared-secret-number-1"):
        for n in range(20):
            redaction.protect_short_lived(f"passing-by-{len(owners)}-number-{n}")
        assert scrub("shared-secret-number-1") == expected
        del owners[-1:]


def test_a_secret_that_is_used_again_and_again_outlives_those_of_one_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(redaction, "_MOST_SHORT_LIVED", 5)
    for n in range(20):
        redaction.protect_short_lived("used-all-the-time-1", f"used-once-number-{n:02}")
    assert scrub("used-all-the-time-1 used-once-number-03") == "*** used-once-number-03"
