"""Answers that are told of children, and the pace that the sandbox can keep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from sync.sandbox import Sandbox

Get = Callable[..., requests.Response]


@pytest.fixture
def rid(github: Sandbox) -> int:
    return github.add_repository("octo", "hello")


@pytest.mark.parametrize(
    ("case", "status", "words"),
    [
        ("computing", 202, "{}"),
        ("no content", 204, ""),
        ("empty", 409, "Git Repository is empty."),
        ("gone", 410, "Issues are disabled"),
        ("no push", 403, "Must have push access to repository"),
        ("no permission", 403, "Resource not accessible by personal access token"),
        ("disabled", 403, "are disabled for this repository"),
        ("too large", 403, "list is too large"),
        (451, 451, "{}"),
    ],
)
def test_a_child_answers_as_it_is_told(
    github: Sandbox, get: Get, rid: int, case: str | int, status: int, words: str
) -> None:
    github.answer_child("languages", case, rid=rid)
    answer = get(f"/repositories/{rid}/languages")
    assert answer.status_code == status
    assert words in answer.text
    assert (answer.text == "{}") == (words == "{}")
    assert get(f"/repositories/{rid}/releases").status_code == 200
    github.answer_child("languages", None, rid=rid)
    assert get(f"/repositories/{rid}/languages").status_code == 200


def test_a_lacking_permission_is_named(github: Sandbox, get: Get, rid: int) -> None:
    github.add_token("octo", "github_pat_full")
    github.answer_child("*", "no permission", rid=rid)
    for child, permission in (("traffic/views", "administration"), ("releases", "contents")):
        answer = get(f"/repositories/{rid}/{child}", token="github_pat_full")
        assert answer.headers["X-Accepted-GitHub-Permissions"] == f"{permission}=read"


def test_computing_may_come_with_numbers_and_end_by_itself(
    github: Sandbox, get: Get, rid: int
) -> None:
    numbers: Any = [[0, 0, 5]]
    github.answer_child("languages", "computing", rid=rid, body=numbers, times=2)
    answers = [get(f"/repositories/{rid}/languages") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 200]
    assert answers[0].json() == numbers
    assert "ETag" not in answers[0].headers


def test_all_repositories_may_answer_so_at_the_price_of_quota(
    github: Sandbox, get: Get, rid: int
) -> None:
    other = github.add_repository("octo", "other")
    github.answer_child("traffic/*", "no push")
    refused = [get(f"/repositories/{number}/traffic/clones") for number in (rid, other)]
    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[1].headers["X-RateLimit-Used"] == "2"
    assert get("/repos/octo/none/traffic/clones").status_code == 404
    with pytest.raises(ValueError, match="not a case"):
        github.answer_child("languages", "tired")


# The pace


def test_no_pace_is_kept_until_it_is_set(github: Sandbox, get: Get, rid: int) -> None:
    github.set_pace(3)
    assert [get("/user").status_code for _ in range(4)] == [200, 200, 200, 403]
    github.set_pace(None)
    assert [get("/user").status_code for _ in range(4)] == [200] * 4


def test_points_are_counted_by_user_and_minute(
    github: Sandbox, get: Get, moments: list[datetime]
) -> None:
    github.add_token("octo", "second")
    github.add_user("other", token="other-token")
    github.set_pace(6)
    assert get("/user").status_code == 200
    moments.append(START + timedelta(seconds=30))
    assert get("/nothing", token="second", method="POST").status_code == 404
    refused = get("/user")
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("You have exceeded a secondary rate limit.")
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["X-RateLimit-Used"] == "2"
    assert get("/user", token="other-token").status_code == 200
    moments.append(START + timedelta(seconds=60))
    assert [get("/user").status_code for _ in range(2)] == [200, 403]


def test_the_time_of_answers_is_counted_too(
    github: Sandbox, get: Get, moments: list[datetime]
) -> None:
    github.set_pace(seconds=1.2, answer=0.4)
    assert [get("/user").status_code for _ in range(4)] == [200, 200, 200, 403]
    moments.append(START + timedelta(minutes=1))
    assert get("/user").status_code == 200
