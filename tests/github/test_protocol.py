"""What GitHub's headers mean: pure functions over recorded forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.rest import Response
from tests.support.inside.core import (
    Blocked,
    Forbidden,
    Gone,
    NotFound,
    RateLimited,
    RestError,
    ServerError,
    host_of,
)
from tests.support.inside.github import (
    RateLimit,
    classify_answer,
    likely_api_url,
    lower_of,
    protocol,
    site_of,
)
from tests.support.inside.rest import entity_tag
from tests.support.inside.signin import TokenKeyring

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RESET = int((NOW + timedelta(minutes=10)).timestamp())


def answer(status: int, body: bytes = b"{}", /, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        method="GET", url="https://x.example/y", status=status, headers=named, body=body
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-12-01 10:00:00 UTC", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ("2026-12-01 12:00:00 +0200", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ("2026-12-01 02:00:00 -0800", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ("Tue, 01 Dec 2026 10:00:00 GMT", None),
        ("2026-12-01 12:00:00 +02:00", datetime(2026, 12, 1, 10, tzinfo=UTC)),
        ("0001-01-01 00:00:00 +1400", None),  # is none in UTC
        ("2026-12-01 10000000 UTC", None),
        ("2026-12-01 10:00:00 +0260", None),
        ("2026-12-01 24:00:00 UTC", None),
        ("2026-12-01 10:00:00", None),
        ("2026-12-01", None),
        ("", None),
    ],
)
def test_the_end_of_a_token_is_read_in_the_forms_that_github_writes(
    text: str, expected: datetime | None
) -> None:
    assert protocol.token_expiry({"github-authentication-token-expiration": text}) == expected


@pytest.mark.parametrize("status", [403, 429])
def test_a_spent_quota_is_told_by_the_remaining_zero_whatever_the_status(status: int) -> None:
    error = classify_answer(
        answer(
            status,
            X_RateLimit_Limit="5000",
            X_RateLimit_Remaining="0",
            X_RateLimit_Reset=str(RESET),
        ),
        NOW,
    )
    assert isinstance(error, RateLimited)
    assert (error.secondary, error.retry_at) == (False, NOW + timedelta(minutes=10))


PAGE = b"<html><b>Whoa there!</b> You have exceeded a\n secondary <i>rate limit</i>.</html>"
IN_TEN_MINUTES = timedelta(minutes=10)


@pytest.mark.matrix("http.quota", "http.told-in-part")
@pytest.mark.parametrize(
    ("status", "body", "headers", "secondary", "pause"),
    [
        (403, b'{"message": "API rate limit exceeded for user ID 1."}', {}, False, None),
        (403, b"API rate limit exceeded", {}, False, None),
        (403, b"{}", {"X_RateLimit_Remaining": "0"}, False, None),
        (
            403,
            b"{}",
            {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(RESET)},
            False,
            IN_TEN_MINUTES,
        ),
        (
            403,
            b'{"message": "API rate limit exceeded"}',
            {"X_RateLimit_Reset": str(RESET)},
            False,
            IN_TEN_MINUTES,
        ),
        (429, b"{}", {"X_RateLimit_Reset": str(RESET)}, True, IN_TEN_MINUTES),
        (
            403,
            b"{}",
            {
                "X_RateLimit_Limit": "5000, 5000",
                "X_RateLimit_Remaining": "0, 0",
                "X_RateLimit_Reset": f"{RESET}, {RESET}",
                "X_RateLimit_Resource": "core, core",
            },
            False,
            IN_TEN_MINUTES,
        ),
        (
            403,
            b"{}",
            {
                "X_RateLimit_Limit": "30",
                "X_RateLimit_Remaining": "0",
                "X_RateLimit_Reset": str(RESET),
                "X_RateLimit_Resource": "search",
            },
            False,
            IN_TEN_MINUTES,
        ),
        (429, b"{}", {"Retry_After": "600, 600"}, True, IN_TEN_MINUTES),
        (429, b"{}", {"Retry_After": "5, 600"}, True, IN_TEN_MINUTES),
        (
            429,
            b"{}",
            {
                "Retry_After": ", ".join(["Mon, 23 Nov 2026 13:10:00 GMT"] * 2),
                "Date": ", ".join(["Mon, 23 Nov 2026 13:00:00 GMT"] * 2),
            },
            True,
            IN_TEN_MINUTES,
        ),
        (403, PAGE, {"Content_Type": "text/html"}, True, None),
        (502, PAGE, {"Content_Type": "text/html"}, True, None),
        (403, b'{"message": "You have triggered an abuse detection mechanism"}', {}, True, None),
        (403, b'{"message": "Maximum number of login attempts exceeded."}', {}, True, None),
        (
            403,
            b'{"message": "You have exceeded a secondary rate limit"}',
            {"X_RateLimit_Remaining": "4000", "X_RateLimit_Reset": str(RESET)},
            True,
            None,
        ),
        (403, b"<b>You exceeded the rate&nbsp;limit</b>", {}, False, None),
        (403, b"<b>Secondary rate&#8209;limit</b>", {}, True, None),
        (403, b'{"message": "Forbidden", "errors": ["rate limit exceeded"]}', {}, False, None),
        (403, b'{"message": "Forbidden", "error": {"message": "Rate limit"}}', {}, False, None),
        (403, b'{"message": "Quota exceeded"}', {}, False, None),
        (403, b'{"message": "You have exceeded your hourly quota"}', {}, False, None),
        (403, b'{"message": "Request was throttled."}', {}, False, None),
        (
            403,
            b'{"message": "Forbidden"}',
            {"RateLimit_Remaining": "0", "RateLimit_Reset": "600"},
            False,
            IN_TEN_MINUTES,
        ),
        (
            403,
            b'{"message": "Forbidden"}',
            {"RateLimit_Remaining": "0", "RateLimit_Reset": str(RESET)},
            False,
            IN_TEN_MINUTES,
        ),
        (420, b'{"message": "Enhance your calm"}', {}, True, None),
        (420, b"{}", {"Retry_After": "600"}, True, IN_TEN_MINUTES),
        (200, b'{"message": "API rate limit exceeded for user ID 1."}', {}, False, None),
        (200, b'{"message": "secondary rate limit"}', {"Retry_After": "600"}, True, IN_TEN_MINUTES),
        (503, b"<html>maintenance</html>", {"Retry_After": "600"}, False, IN_TEN_MINUTES),
        (502, b"{}", {"Retry_After": "600"}, False, IN_TEN_MINUTES),
    ],
)
def test_a_limit_is_one_however_little_of_it_is_told(
    status: int, body: bytes, headers: dict[str, str], secondary: bool, pause: timedelta | None
) -> None:
    error = classify_answer(answer(status, body, **headers), NOW)
    assert isinstance(error, RateLimited)
    assert error.secondary is secondary
    assert error.retry_at == (pause and NOW + pause)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (503, {}),
        (503, {"Retry_After": "soon"}),
        (502, {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(RESET)}),
    ],
)
def test_a_server_that_fails_and_names_no_time_is_no_limit(
    status: int, headers: dict[str, str]
) -> None:
    error = classify_answer(answer(status, b"<html>Sorry</html>", **headers), NOW)
    assert type(error) is ServerError


@pytest.mark.parametrize("status", [500, 502, 504])
@pytest.mark.parametrize(
    "body",
    [
        b"<html>Bad gateway <a href='/docs'>Rate limits</a></html>",
        b'{"message": "rate limit exceeded"}',
        b"<html>Too many requests? Throttled? Quota exceeded?</html>",
    ],
)
def test_a_server_that_fails_and_names_limits_in_passing_is_no_limit(
    status: int, body: bytes
) -> None:
    assert type(classify_answer(answer(status, body), NOW)) is ServerError


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"id": 1, "name": "rate-limit", "message": "rate limit"}'),
        (200, b'{"message": "Hello"}'),
        (200, b'[{"message": "rate limit exceeded"}]'),
        (200, b'{"name": "rate limit", "description": "API rate limit exceeded"}'),
        (201, b'{"message": "rate limit"}'),
        (304, b""),
    ],
)
def test_a_good_answer_that_names_limits_is_no_limit(status: int, body: bytes) -> None:
    assert classify_answer(answer(status, body), NOW) is None


def test_a_refusal_that_names_a_quota_in_passing_is_no_limit() -> None:
    for words in (b"The quota of seats is full", b"Repository throttle settings are private"):
        error = classify_answer(answer(403, b'{"message": "%s"}' % words), NOW)
        assert type(error) is Forbidden


def test_of_two_quotas_in_one_answer_the_one_with_less_left_counts() -> None:
    told = answer(
        200,
        X_RateLimit_Limit="5000, 60",
        X_RateLimit_Remaining="4990, 3",
        X_RateLimit_Reset=f"{RESET + 600}, {RESET}",
    )
    assert protocol.rate_limit(told, NOW) == RateLimit(
        limit=60, remaining=3, reset=NOW + IN_TEN_MINUTES
    )
    assert protocol.remaining(told.headers) == 3


def test_what_a_gateway_sends_twice_is_read_once() -> None:
    twice = {
        "ETag": 'W/"a,b", W/"a,b"',
        "X-OAuth-Scopes": "repo, read:org, repo, read:org",
        "github-authentication-token-expiration": ", ".join(["2026-12-01 10:00:00 UTC"] * 2),
    }
    assert entity_tag(twice) == 'W/"a,b"'
    assert protocol.scopes(twice) == ("repo", "read:org")
    assert protocol.token_expiry(twice) == datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert entity_tag({"ETag": '"a", "b"'}) is None


@pytest.mark.parametrize(
    ("now", "date", "told"),
    [
        (NOW, {}, True),
        (NOW - timedelta(days=999), {}, False),
        (NOW - timedelta(days=999), {"Date": "Mon, 23 Nov 2026 12:00:00 GMT"}, True),
        (NOW + timedelta(days=999), {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, False),
    ],
)
def test_whether_a_refused_token_has_ended_is_told_by_the_server_s_clock(
    now: datetime, date: dict[str, str], told: bool
) -> None:
    ended = {"github-authentication-token-expiration": "2026-11-23 11:00:00 UTC"}
    error = classify_answer(answer(401, **ended, **date), now)
    assert ("the token has expired on 2026-11-23" in str(error)) is told


@pytest.mark.matrix("http.quota")
def test_the_reset_is_taken_relative_to_the_servers_own_clock() -> None:
    # The local clock is two hours ahead; the wait is ten minutes all the same.
    ahead = NOW + timedelta(hours=2)
    quota = protocol.rate_limit(
        answer(
            200,
            X_RateLimit_Limit="5000",
            X_RateLimit_Remaining="17",
            X_RateLimit_Reset=str(RESET),
            Date="Mon, 23 Nov 2026 12:00:00 GMT",
        ),
        ahead,
    )
    assert quota is not None
    assert quota.reset == ahead + timedelta(minutes=10)


@pytest.mark.matrix("http.403")
@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b'{"message": "You have exceeded a secondary rate limit"}', {}, RateLimited),
        (b'{"message": "Slow down"}', {"Retry_After": "30"}, RateLimited),
        (b'{"message": "Resource not accessible by integration"}', {}, Forbidden),
        (b'{"message": "Repository access blocked", "block": {"reason": "dmca"}}', {}, Blocked),
        (b"<html>", {}, Forbidden),
    ],
)
def test_a_403_is_a_limit_or_a_refusal(
    body: bytes, headers: dict[str, str], kind: type[RestError]
) -> None:
    assert type(classify_answer(answer(403, body, **headers), NOW)) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"message": "Not Found"}', NotFound),
        (404, b'{"message": "Not Found", "documentation_url": null}', NotFound),
        (404, b'{"message": "Fort", "documentation_url": "https://docs.github.com/rest"}', Gone),
        (404, b'{"documentation_url": "https://docs.github.com/rest"}', NotFound),
        (410, b'{"message": "", "documentation_url": "https://docs.github.com/rest"}', NotFound),
        (404, b"<html>nginx</html>", NotFound),
        (451, b'{"message": "Repository access blocked"}', Blocked),
        (451, b'{"message": "by order of a court"}', Forbidden),
        (451, b"<html>blocked by order of a court</html>", Forbidden),
    ],
)
def test_only_a_refusal_of_githubs_own_shape_tells_of_a_block_or_that_there_is_nothing(
    status: int, body: bytes, kind: type[RestError]
) -> None:
    assert type(classify_answer(answer(status, body), NOW)) is kind


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_RateLimit_Limit": "5000"},
        {"X_RateLimit_Limit": "x", "X_RateLimit_Remaining": "1", "X_RateLimit_Reset": "1"},
        {"X_RateLimit_Limit": "9" * 5000, "X_RateLimit_Remaining": "1", "X_RateLimit_Reset": "1"},
        {
            "X_RateLimit_Limit": "30",
            "X_RateLimit_Remaining": "0",
            "X_RateLimit_Reset": "1",
            "X_RateLimit_Resource": "search",
        },
    ],
)
def test_a_quota_that_is_not_told_is_no_quota(headers: dict[str, str]) -> None:
    assert protocol.rate_limit(answer(200, **headers), NOW) is None


def test_scopes_are_empty_or_unknown_which_is_not_the_same() -> None:
    assert protocol.scopes({"X-OAuth-Scopes": "repo, read:org"}) == ("repo", "read:org")
    assert protocol.scopes({"X-OAuth-Scopes": ""}) == ()
    assert protocol.scopes({}) is None


def test_what_is_no_scope_is_not_taken_for_one() -> None:
    secret = "ghp_" + "a1" * 18
    header = f"repo, {secret}, \x1b[31m, {'x' * 65}, user:email"
    assert protocol.scopes({"X-OAuth-Scopes": header}) == ("repo", "user:email")


def test_answers_out_of_order_leave_the_lower_quota() -> None:
    first = RateLimit(limit=5000, remaining=10, reset=NOW)
    late = RateLimit(limit=5000, remaining=12, reset=NOW + timedelta(seconds=1))
    new_hour = RateLimit(limit=5000, remaining=4999, reset=NOW + timedelta(hours=1))
    assert lower_of(first, late) is first
    assert lower_of(first, new_hour) is new_hour


def test_the_permissions_that_a_refusal_names_are_told_without_control_characters() -> None:
    refused = answer(403, X_Accepted_GitHub_Permissions="contents=read\x1b]0;x\x07\x9b31m")
    error = classify_answer(refused, NOW)
    assert str(error).endswith("(needed: contents=read\\x1b]0;x\\x07\\x9b31m)")


SPELLINGS = {
    "github.com": (
        *("https://api.github.com", "https://API.GitHub.com", "https://api.github.com:443"),
        *("https://api.github.com.", "https://api.github.com.:443"),
    ),
    "ghe.example.com": (
        *("https://ghe.example.com/api/v3", "https://ghe.example.com:443/api/v3"),
        *("HTTPS://GHE.example.com./api/v3", "https://ghe.example.com.:443/api/v3"),
    ),
    "ghe.example.com:8443": (
        *("https://ghe.example.com:8443/api/v3", "https://ghe.example.com.:8443/api/v3"),
        "https://GHE.EXAMPLE.COM:8443/api/v3",
    ),
    "xn--bcher-kva.example": (
        *("https://bücher.example/api/v3", "https://BÜCHER.example:443/api/v3"),
        "https://xn--bcher-kva.example/api/v3",
    ),
    "localhost": ("http://localhost", "http://LOCALHOST:80", "http://localhost."),
    "[::1]:8080": ("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080"),
}


@pytest.mark.parametrize(
    ("host", "api_url"), [(host, url) for host, urls in SPELLINGS.items() for url in urls]
)
def test_one_server_is_one_host_however_its_address_is_written(host: str, api_url: str) -> None:
    assert host_of(api_url) == host
    assert site_of(api_url) == site_of(SPELLINGS[host][0])
    assert TokenKeyring("me", api_url).entry == TokenKeyring("me", SPELLINGS[host][0]).entry


def test_two_servers_are_two_hosts() -> None:
    addresses = (
        *("https://ghe.example.com", "https://ghe.example.com:80", "https://ghe.example.com:8443"),
        *("https://ghe.example.org", "https://faß.example", "https://fass.example"),
        *("http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"),
    )
    assert len({host_of(address) for address in addresses}) == len(addresses)


def test_an_odd_spelling_of_the_public_api_is_not_taken_for_another_address() -> None:
    assert likely_api_url("https://API.github.com.:443") is None
    assert site_of("https://API.github.com.:443") == "https://github.com"
    assert site_of("https://api.corp.GHE.com:443") == "https://corp.ghe.com"
