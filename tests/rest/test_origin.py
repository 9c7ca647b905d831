"""Base URLs, and what counts as the same origin."""

from __future__ import annotations

import pytest

from sync.rest import RestClient
from tests.rest.helpers import everything_said
from tests.support.inside.core import ConfigError, ForeignOrigin, origin

BASE = "https://api.example.com/v3"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.github.com",
        "https://ghe.example.com:8443/api/v3",
        "HTTPS://API.EXAMPLE.COM",
        "http://localhost:8080",
        "http://LOCALHOST",
        "http://127.0.0.1",
        "http://127.8.9.10:1",
        "http://[::1]:8080/api",
        "https://10.0.0.1",
    ],
)
def test_a_sound_base_url_is_taken_as_it_is(url: str) -> None:
    with RestClient(url) as client:
        assert client.base_url == url


def test_a_trailing_slash_of_the_base_url_makes_no_difference() -> None:
    assert origin.validate_base_url("https://api.example.com/v3/") == BASE


@pytest.mark.matrix("process.plain-http")
@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "must be a URL"),
        (None, "must be a URL"),
        (7, "must be a URL"),
        ("api.example.com", "must start with https://"),
        ("//api.example.com", "must start with https://"),
        ("ftp://api.example.com", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("https://", "must start with https:// and name a host"),
        ("https://:443", "name a host"),
        ("https:///path", "name a host"),
        ("https://api%2eexample.com", "name a host"),
        ("https://<api.example.com>", "name a host"),
        ("https://api.example.com?x=1", "query"),
        ("https://api.example.com/#top", "fragment"),
        ("https://api.example.com?", "query"),
        ("https://api.example.com:0", "port 0"),
        ("https://api.example.com:99999", "not a valid URL"),
        ("https://api.example.com:https", "not a valid URL"),
        ("https://[::1", "not a valid URL"),
        ("https://api.example.com\\.evil.example", "backslash"),
        (" https://api.example.com", "space"),
        ("https://api.example.com\n", "control character"),
        ("https://api.exa mple.com", "space"),
        ("http://api.example.com", "unencrypted"),
        ("http://10.0.0.1", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("http://localhost.example.com", "unencrypted"),
        ("http://0.0.0.0", "unencrypted"),
        ("http://2130706433", "unencrypted"),
        ("http://[::2]", "unencrypted"),
    ],
)
def test_an_unusable_base_url_is_refused_when_the_client_is_made(
    url: object, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        RestClient(url)  # type: ignore[arg-type]


@pytest.mark.matrix("process.plain-http")
@pytest.mark.parametrize(
    "url",
    [
        "https://me:hunter2hunter2@api.example.com",
        "https://hunter2hunter2@api.example.com",
        "https://me:hunter2hunter2@api.example.com:nan",
        "https://me:hunter2hunter2",
        "https://me:hunter2hunter2@[::1",
        "https://me:hunter2hunter2\u2100@api.example.com",
        "http://me:hunter2hunter2@api.example.com",
        "ftp://me:hunter2hunter2@api.example.com",
        "https://me:hunter2hunter2@api.example.com/?q=1",
        "https://me:hunter2 hunter2@api.example.com",
    ],
)
def test_a_password_in_a_refused_base_url_is_never_repeated(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RestClient(url)
    assert "hunter2" not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("repos", f"{BASE}/repos"),
        ("/repos", f"{BASE}/repos"),
        ("", BASE),
        ("?page=2", f"{BASE}/?page=2"),
        (f"{BASE}/repos?page=2", f"{BASE}/repos?page=2"),
        ("https://API.example.com:443/other", "https://API.example.com:443/other"),
        ("/search?q=https://other.example.com/x", f"{BASE}/search?q=https://other.example.com/x"),
        ("/@evil.example.com", f"{BASE}/@evil.example.com"),
    ],
)
def test_a_path_or_a_link_of_the_same_origin_is_resolved(path: str, url: str) -> None:
    assert origin.resolve(BASE, path) == url


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.com/",
        "https://api.example.com.evil.example.com/",
        "http://api.example.com/v3/repos",
        "https://api.example.com:8443/v3/repos",
        "https://api.example.com@evil.example.com/",
        "https://evil.example.com\\@api.example.com/",
        "https://me:pw@api.example.com/v3",
        "https://api.example.com:bad/",
        "//evil.example.com/v3",
        "//api.example.com/v3",
        "ftp://api.example.com/v3",
        "javascript://api.example.com/v3",
        " https://evil.example.com",
        "\thttps://evil.example.com",
        "https://[::1/",
    ],
)
def test_an_address_of_another_origin_is_refused(path: str) -> None:
    with pytest.raises(ForeignOrigin, match="leads away from"):
        origin.resolve(BASE, path)


def test_a_foreign_address_is_named_in_the_error_without_its_secrets() -> None:
    long = "https://evil.example.com/" + "a" * 150 + "?access_token=" + "s3" * 40
    with pytest.raises(ForeignOrigin) as caught:
        origin.resolve(BASE, long)
    assert "evil.example.com" in str(caught.value)
    assert "s3s3" not in everything_said(caught.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/v3/new", "https://api.example.com/v3/new"),
        ("new?x=1", "https://api.example.com/v3/new?x=1"),
        ("https://api.example.com/elsewhere", "https://api.example.com/elsewhere"),
        ("//api.example.com/elsewhere", "https://api.example.com/elsewhere"),
    ],
)
def test_a_redirect_within_the_origin_is_followed_as_a_browser_would(
    location: str, url: str
) -> None:
    assert origin.follow(BASE, f"{BASE}/old", location) == url


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://bücher.example", "https://xn--bcher-kva.example/page"),
        ("https://xn--bcher-kva.example:443", "https://Bücher.example./page"),
        ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/page"),
    ],
)
def test_a_link_that_spells_the_host_otherwise_is_of_the_same_origin(base: str, link: str) -> None:
    assert origin.resolve(base, link) == link


@pytest.mark.parametrize(
    ("base", "link"),
    [
        ("https://faß.example", "https://fass.example/page"),
        ("https://bücher.example", "https://bucher.example/page"),
        ("http://localhost:8080", "http://127.0.0.1:8080/page"),
    ],
)
def test_a_host_that_only_looks_alike_is_another_origin(base: str, link: str) -> None:
    with pytest.raises(ForeignOrigin):
        origin.resolve(base, link)


@pytest.mark.parametrize("location", ["//evil.example.com", "http://api.example.com/", "//[x"])
def test_a_redirect_to_another_origin_is_refused(location: str) -> None:
    with pytest.raises(ForeignOrigin):
        origin.follow(BASE, f"{BASE}/old", location)
