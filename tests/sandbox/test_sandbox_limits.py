"""Limits, and what tests ask of the sandbox beyond GitHub: failures, records, callbacks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]


def left(answer: requests.Response) -> int:
    return int(answer.headers["X-RateLimit-Remaining"])


def test_every_answer_tells_what_is_left(get: Get, moments: list[datetime]) -> None:
    headers = get("/user").headers
    assert headers["X-RateLimit-Limit"] == "5000"
    assert headers["X-RateLimit-Remaining"] == "4999"
    assert headers["X-RateLimit-Used"] == "1"
    assert headers["X-RateLimit-Resource"] == "core"
    assert int(headers["X-RateLimit-Reset"]) == int(START.timestamp()) + 3600
    assert headers["Date"] == "Sun, 01 Nov 2026 12:00:00 GMT"
    assert headers["X-GitHub-Media-Type"] == "github.v3; format=json"
    assert headers["X-GitHub-Request-Id"] != get("/user").headers["X-GitHub-Request-Id"]


def test_two_tokens_of_one_user_share_a_quota_and_two_users_do_not(
    github: Sandbox, get: Get
) -> None:
    github.add_token("octo", "second")
    github.add_user("other", token="other-token")
    assert [
        left(get("/user", token=token)) for token in ("octo-token", "second", "other-token")
    ] == [
        4999,
        4998,
        4999,
    ]
    assert left(get("/users/octo", token=None)) == 59


def test_an_exhausted_quota_is_403_until_the_reset(
    github: Sandbox, get: Get, moments: list[datetime]
) -> None:
    github.set_quota("octo-token", limit=10, remaining=1, reset=START + timedelta(minutes=5))
    assert left(get("/user")) == 0
    refused = get("/user")
    assert (refused.status_code, left(refused)) == (403, 0)
    assert refused.json()["message"].startswith("API rate limit exceeded for user ID 1001.")
    assert int(refused.headers["X-RateLimit-Reset"]) == int(START.timestamp()) + 300
    assert "Retry-After" not in refused.headers
    moments.append(START + timedelta(minutes=5))
    assert left(get("/user")) == 9


def test_an_exhausted_address_is_told_to_sign_in(github: Sandbox, get: Get) -> None:
    github.set_quota(None, limit=60, remaining=0)
    refused = get("/users/octo", token=None)
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("API rate limit exceeded for 127.0.0.1.")
    assert get("/user").status_code == 200


def test_asking_for_the_limit_is_free_even_when_nothing_is_left(github: Sandbox, get: Get) -> None:
    github.set_quota("octo-token", limit=100, remaining=0)
    answer = get("/rate_limit")
    assert answer.status_code == 200
    core = answer.json()["resources"]["core"]
    assert (core["limit"], core["used"], core["remaining"]) == (100, 100, 0)
    assert core["reset"] == int(answer.headers["X-RateLimit-Reset"])
    assert answer.json()["rate"] == core
    new = get("/rate_limit", headers={"X-GitHub-Api-Version": "2026-03-10"})
    assert list(new.json()) == ["resources"]


# What tests ask of the sandbox


def test_planned_failures_come_as_often_as_planned_and_only_where_planned(
    github: Sandbox, get: Get
) -> None:
    github.fail(times=2, status=503, path="/user/repos", headers={"Retry-After": "7"}, body=b"no")
    assert get("/user").status_code == 200
    for _ in range(2):
        answer = get("/user/repos")
        assert (answer.status_code, answer.content) == (503, b"no")
        assert answer.headers["Retry-After"] == "7"
        assert "Date" in answer.headers
    assert get("/user/repos").status_code == 200


def test_a_planned_failure_may_be_for_one_page_alone(github: Sandbox, get: Get) -> None:
    github.fail(path="/user/*", query={"page": "2"})
    assert get("/user/repos", page=1).status_code == 200
    broken = get("/user/repos", page=2)
    assert (broken.status_code, broken.headers["Content-Type"][:9]) == (502, "text/html")
    assert get("/user/repos", page=2).status_code == 200


def test_a_planned_failure_may_cut_the_body_short(github: Sandbox, get: Get) -> None:
    github.fail(status=200, headers={"Content-Length": "100"}, body=b"[")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        get("/user/repos")


def test_the_requests_served_are_kept_until_cleared(github: Sandbox, get: Get) -> None:
    get("/user/repos", per_page=5, sort="created")
    get("/nothing", token=None, headers={"If-None-Match": '"x"'})
    first, second = github.requests
    assert (first.method, first.path, first.status) == ("GET", "/user/repos", 200)
    assert first.query == {"per_page": "5", "sort": "created"}
    assert first.headers["authorization"] == "Bearer octo-token"
    assert (first.conditional, second.conditional) == (False, True)
    assert second.status == 404
    github.clear_requests()
    assert github.requests == []


def test_a_callback_may_change_the_state_between_two_pages(github: Sandbox, get: Get) -> None:
    rids = [github.add_repository("octo", f"r{number}") for number in range(4)]
    query = {"sort": "created", "direction": "asc", "per_page": 2}
    get("/user/repos", **query)
    github.on_request = lambda request: github.delete(rids[0]) if rids else None
    second = get("/user/repos", page=2, **query)
    assert [item["id"] for item in second.json()] == rids[3:]
