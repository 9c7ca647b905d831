"""What GitHub's headers mean: pure functions over recorded forms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync.errors import Blocked, Forbidden, NotFound, RateLimited, RestError
from sync.github import protocol
from sync.rest import Response

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
    error = protocol.classify_answer(
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
    assert type(protocol.classify_answer(answer(403, body, **headers), NOW)) is kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, b'{"message": "Not Found"}', NotFound),
        (404, b"<html>nginx</html>", NotFound),
        (451, b'{"message": "Repository access blocked"}', Blocked),
        (451, b'{"message": "by order of a court"}', Forbidden),
        (451, b"<html>blocked by order of a court</html>", Forbidden),
    ],
)
def test_only_githubs_own_words_tell_of_a_block(
    status: int, body: bytes, kind: type[RestError]
) -> None:
    assert type(protocol.classify_answer(answer(status, body), NOW)) is kind


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
    first = protocol.RateLimit(limit=5000, remaining=10, reset=NOW)
    late = protocol.RateLimit(limit=5000, remaining=12, reset=NOW + timedelta(seconds=1))
    new_hour = protocol.RateLimit(limit=5000, remaining=4999, reset=NOW + timedelta(hours=1))
    assert protocol.lower_of(first, late) is first
    assert protocol.lower_of(first, new_hour) is new_hour


def test_the_permissions_that_a_refusal_names_are_told_without_control_characters() -> None:
    refused = answer(403, X_Accepted_GitHub_Permissions="contents=read\x1b]0;x\x07\x9b31m")
    error = protocol.classify_answer(refused, NOW)
    assert str(error).endswith("(needed: contents=read\\x1b]0;x\\x07\\x9b31m)")
