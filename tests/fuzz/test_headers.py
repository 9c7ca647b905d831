"""Whatever a server writes into its headers: read, bounded or passed over."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from tests.fuzz.checks import NOW, URL, check_headers, check_links, check_retry_after, response
from tests.support.examples import examples
from tests.support.inside.core import ConfigError, ForeignOrigin, follow, validate_base_url
from tests.support.inside.rest import parse_http_date, parse_links, parse_retry_after

# As http.client hands a value on: Latin-1, and no line breaks.
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=80)
MOMENTS = st.integers(0, 250_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
DATES = st.sampled_from(["Mon", "Monday", "Xyz", ""]).flatmap(
    lambda day: st.from_regex(
        rf"{day},? ?\d{{1,3}}[ -](Jan|Feb|Foo)[ -]\d{{1,6}} "
        r"\d\d?:\d\d?(:\d\d?)? (GMT|[+-]\d{4}|x)",
        fullmatch=True,
    )
)
NUMBERS = (
    st.integers().map(str)
    | st.floats().map(str)
    | st.from_regex(r"[+-]?[0-9_]{1,30}(\.[0-9]*)?(e[0-9]{1,4})?", fullmatch=True)
)
EXPIRIES = st.from_regex(
    r"\d{1,4}-\d\d-\d\d \d\d:\d\d:\d\d (UTC|[+-]\d\d:?\d\d)", fullmatch=True
) | st.sampled_from(["0001-01-01 00:00:00 +1400", "9999-12-31 23:59:59 -0100"])
HEADERS = st.one_of(VALUES, NUMBERS, DATES, EXPIRIES, MOMENTS.map(format_datetime))


@pytest.mark.matrix("http.retry-after")
@examples(300)
@given(text=HEADERS, date=HEADERS)
def test_any_retry_after_is_a_moment_within_a_day_or_nothing(text: str, date: str) -> None:
    check_retry_after(text, date)


@pytest.mark.matrix("http.retry-after")
@examples(50)
@given(moment=MOMENTS, seconds=st.integers(0, 86_400))
def test_a_date_to_try_again_means_what_it_says_by_the_clock_of_the_server(
    moment: datetime, seconds: int
) -> None:
    later = format_datetime(moment + timedelta(seconds=seconds), usegmt=True)
    headers = {"Retry-After": later, "Date": format_datetime(moment, usegmt=True)}
    assert parse_retry_after(response(headers=headers), NOW) == NOW + timedelta(seconds=seconds)


@examples(300)
@given(text=HEADERS, more=HEADERS)
def test_any_headers_of_quota_credentials_and_time_are_read_or_passed_over(
    text: str, more: str
) -> None:
    check_headers(text, more)


@examples(50)
@given(moment=MOMENTS)
def test_a_date_is_the_moment_it_names(moment: datetime) -> None:
    assert parse_http_date(format_datetime(moment, usegmt=True)) == moment


# Link

LINKISH = st.text("<>;,=\"' \trelRELnextlast*:/?#[]@%0\\", max_size=60)
SPACES = st.sampled_from(["", " ", "\t", "  "])
TARGETS = st.from_regex(r"([a-z0-9_~-]{1,8}/){0,2}(x\?[A-Za-z0-9/?&=._~%-]{1,30})?", fullmatch=True)
RELS = st.from_regex(r"[a-z][a-z0-9.-]{0,10}", fullmatch=True)
OTHERS = st.sampled_from(['; title="a, <b>; rel=x"', "; type=text/html", "; title*=UTF-8''x", ""])


@examples(300)
@given(text=LINKISH | VALUES)
def test_any_link_header_gives_addresses_by_plain_names(text: str) -> None:
    check_links(text)


@examples(100)
@given(data=st.data(), links=st.dictionaries(RELS, TARGETS, max_size=6))
def test_links_are_found_in_any_order_and_with_any_spacing(
    data: st.DataObject, links: dict[str, str]
) -> None:
    def written(rel: str, target: str) -> str:
        name = data.draw(st.sampled_from([rel, f'"{rel}"', f'"{rel.upper()}"']))
        one, two, before, after = (data.draw(SPACES) for _ in range(4))
        more = [
            data.draw(OTHERS),
            f"{one};{two}{data.draw(st.sampled_from(['rel', 'Rel']))}={name}",
        ]
        return f"{before}<https://h/{target}>{''.join(data.draw(st.permutations(more)))}{after}"

    header = ",".join(written(rel, target) for rel, target in links.items())
    assert parse_links(header, URL) == {rel: f"https://h/{t}" for rel, t in links.items()}


# Where a request goes

HOSTS = (
    "api.example.com",
    "API.EXAMPLE.COM",
    "api.example.com.",
    "evil.example",
    "[::1]",
    "127.0.0.1",
)
PIECES = (
    *HOSTS,
    *(
        "http://",
        "https://",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "?",
        "#",
        "%2f",
        "%40",
        ":443",
        ":0",
        ":80",
    ),
    *(
        "user",
        "\t",
        "\n",
        "\0",
        " ",
        "。",
        "℀",
        "①",
        "ſ",
        "é",
        "..",
        ";",
        "[",
        "]",
        "x" * 9_000,
        ":٤",
    ),
)
ADDRESSES = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=6).map("".join)


@pytest.mark.matrix("http.redirects", "http.foreign-next")
@examples(400)
@given(location=ADDRESSES | st.sampled_from(HOSTS).map("https://{}/x".format))
@example(location="https://api.example.com\\@evil.example/")
@example(location="https:/\t/evil.example/")
def test_whatever_a_redirect_says_it_is_followed_within_the_origin_alone(location: str) -> None:
    with contextlib.suppress(ForeignOrigin):
        target = follow("https://api.example.com", URL, location)
        # Both who decides and who sends must read the same host in it.
        assert (urlsplit(target).hostname or "").rstrip(".") == "api.example.com"
        assert _sent_to(target) in (None, ("https", "api.example.com", 443))


SCHEMES = st.sampled_from(["https://", "http://", "HTTPS://", "ftp://", "", "https:"])


@pytest.mark.matrix("process.plain-http")
@examples(400)
@given(text=st.builds("".join, st.tuples(SCHEMES, ADDRESSES)) | st.text())
def test_whatever_stands_as_the_base_url_is_refused_or_sent_to_the_host_it_names(text: str) -> None:
    try:
        url = validate_base_url(text)
    except ConfigError:
        return
    parts = urlsplit(url)
    sent = _sent_to(url)
    if sent is None:
        return
    scheme, host, port = sent
    assert scheme == parts.scheme == "https" or host in ("[::1]", "127.0.0.1", "localhost")
    named = (parts.hostname or "").removesuffix(".")
    if named.isascii():
        assert host.strip("[]") == named.strip("[]")
    assert port == (parts.port or (443 if scheme == "https" else 80))


@examples(100)
@given(
    before=st.sampled_from(["", "user:", ":", "a@b:"]), after=ADDRESSES, secret=st.just("hunter2-")
)
def test_a_base_url_with_a_password_is_refused_without_repeating_it(
    before: str, after: str, secret: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        validate_base_url(f"https://{before}{secret}@{after}")
    assert secret not in str(caught.value)


def _sent_to(url: str) -> tuple[str, str, int] | None:
    """Return the scheme, host and port that requests sends a request to; None if it refuses."""
    try:
        prepared = requests.Request("GET", url).prepare()
        parsed = parse_url(str(prepared.url))
    except (requests.RequestException, ValueError):
        return None
    host = (parsed.host or "").removesuffix(".")
    return str(parsed.scheme), host, parsed.port or (443 if parsed.scheme == "https" else 80)
