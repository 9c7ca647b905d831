"""Headers, versions, conditional requests, and signing in."""

from __future__ import annotations

import base64
import gzip
import http.client
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


# Conditional requests


def test_an_unchanged_page_is_not_modified_and_costs_nothing(github: Sandbox, get: Get) -> None:
    github.add_repository("octo", "hello")
    first = get("/user/repos")
    etag = first.headers["ETag"]
    assert etag.startswith('W/"')
    again = get("/user/repos", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag.removeprefix("W/")
    assert left(again) == left(first)
    assert get("/user/repos", headers={"If-None-Match": again.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("form", ["{}", '"other", {}', 'W/"other" ,{}', "*"])
def test_if_none_match_may_be_a_list_or_a_star(get: Get, form: str) -> None:
    etag = get("/user").headers["ETag"]
    assert get("/user", headers={"If-None-Match": form.format(etag)}).status_code == 304


def test_a_page_of_which_anything_changed_is_sent_anew(github: Sandbox, get: Get) -> None:
    rid = github.add_repository("octo", "hello")
    etag = get("/user/repos").headers["ETag"]
    github.star(rid)
    answer = get("/user/repos", headers={"If-None-Match": etag})
    assert (answer.status_code, answer.json()[0]["stargazers_count"]) == (200, 1)
    assert answer.headers["ETag"] != etag
    assert left(answer) == 4998


def test_a_304_without_a_token_is_counted(get: Get) -> None:
    first = get("/users/octo", token=None)
    again = get("/users/octo", token=None, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, left(again)) == (304, left(first) - 1)


def test_the_etag_depends_on_the_token_and_the_version(github: Sandbox, get: Get) -> None:
    github.add_token("octo", "second")
    new = {"X-GitHub-Api-Version": "2026-03-10"}
    answers = [
        get("/users/octo"),
        get("/users/octo", token="second"),
        get("/users/octo", token=None),
        get("/users/octo", headers=new),
    ]
    assert len({answer.headers["ETag"] for answer in answers}) == 4
    vary = "Accept, Authorization, Cookie, X-GitHub-OTP, Accept-Encoding"
    assert {answer.headers["Vary"] for answer in answers} == {vary}


def test_an_answer_is_private_to_a_token_and_public_without(get: Get) -> None:
    assert get("/users/octo").headers["Cache-Control"] == "private, max-age=60, s-maxage=60"
    public = get("/users/octo", token=None)
    assert public.headers["Cache-Control"] == "public, max-age=60, s-maxage=60"


def test_a_body_is_compressed_only_for_those_who_take_it(github: Sandbox, get: Get) -> None:
    github.add_repository("octo", "hello")
    packed = get("/user/repos", headers={"Accept-Encoding": "br;q=1.0, gzip;q=0.8"})
    again = get("/user/repos", headers={"Accept-Encoding": "gzip"})
    plain = get("/user/repos", headers={"Accept-Encoding": "gzip;q=0, identity"})
    assert packed.headers["Content-Encoding"] == again.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == again.content == plain.content
    assert int(packed.headers["Content-Length"]) < len(plain.content)


def test_gzip_is_the_real_thing(github: Sandbox) -> None:
    github.add_repository("octo", "hello")
    connection = http.client.HTTPConnection(github.url.removeprefix("http://"))
    headers = {"User-Agent": "test", "Accept-Encoding": "gzip"}
    connection.request("GET", "/users/octo/repos", headers=headers)
    assert gzip.decompress(connection.getresponse().read()).startswith(b'[{"id":')
    connection.close()


# Versions and the user agent


def test_the_old_version_is_the_default_and_says_when_it_ends(get: Get) -> None:
    headers = get("/user").headers
    assert headers["X-GitHub-Api-Version-Selected"] == "2022-11-28"
    assert headers["Deprecation"] == "Tue, 10 Mar 2026 00:00:00 GMT"
    assert headers["Sunset"] == "Fri, 10 Mar 2028 00:00:00 GMT"


def test_the_new_version_has_no_end(get: Get) -> None:
    headers = get("/user", headers={"X-GitHub-Api-Version": "2026-03-10"}).headers
    assert headers["X-GitHub-Api-Version-Selected"] == "2026-03-10"
    assert not {"deprecation", "sunset", "link"} & {name.lower() for name in headers}


def test_an_unknown_version_is_a_bad_request(get: Get) -> None:
    answer = get("/user", headers={"X-GitHub-Api-Version": "2019-01-01"})
    assert (answer.status_code, answer.json()["message"]) == (400, "Bad Request")
    assert '"2019-01-01", is not a supported version' in answer.json()["errors"]


def test_a_request_without_a_user_agent_is_forbidden(github: Sandbox) -> None:
    connection = http.client.HTTPConnection(github.url.removeprefix("http://"))
    connection.request("GET", "/", headers={"Authorization": "Bearer octo-token"})
    answer = connection.getresponse()
    assert (answer.status, b"User-Agent" in answer.read()) == (403, True)
    connection.close()


# Signing in


@pytest.mark.parametrize("path", ["/user", "/user/repos"])
def test_the_own_account_needs_a_token(get: Get, path: str) -> None:
    answer = get(path, token=None)
    body = answer.json()
    assert answer.status_code == 401
    assert (body["message"], body["status"]) == ("Requires authentication", "401")
    assert body["documentation_url"].startswith("https://docs.github.com/rest/")


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer octo-token",
        "bearer octo-token",
        "token octo-token",
        "Basic " + base64.b64encode(b"octo:octo-token").decode(),
        "basic " + base64.b64encode(b"anyone:octo-token").decode(),
        "Basic " + base64.b64encode(b"octo-token:x-oauth-basic").decode(),
    ],
)
def test_a_token_comes_in_any_of_the_usual_ways(get: Get, authorization: str) -> None:
    answer = get("/user", token=None, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["login"]) == (200, "octo")


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "octo-token", "Digest octo-token", "Basic !", "Basic /w=="]
)
def test_bad_credentials_are_refused_even_where_none_are_needed(
    get: Get, authorization: str
) -> None:
    answer = get("/users/octo", token=None, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")
    assert answer.headers["X-RateLimit-Limit"] == "60"


def test_a_revoked_token_is_bad(github: Sandbox, get: Get) -> None:
    github.add_token("octo", "second")
    assert get("/user", token="second").status_code == 200
    github.revoke_token("second")
    assert get("/user", token="second").status_code == 401
    assert get("/user").status_code == 200


def test_a_token_tells_when_it_expires_and_is_bad_from_then_on(
    github: Sandbox, get: Get, moments: list[datetime]
) -> None:
    github.add_token("octo", "brief", expires=START + timedelta(hours=2))
    answer = get("/user", token="brief")
    assert answer.headers["github-authentication-token-expiration"] == "2026-11-01 14:00:00 UTC"
    assert "github-authentication-token-expiration" not in get("/user").headers
    moments.append(START + timedelta(hours=2))
    assert get("/user", token="brief").status_code == 401


def test_a_classic_token_tells_its_scopes_and_a_fine_grained_one_has_none(
    github: Sandbox, get: Get
) -> None:
    github.add_token("octo", "wide", scopes=("user", "repo"))
    github.add_token("octo", "github_pat_fine")
    assert get("/user", token="wide").headers["X-OAuth-Scopes"] == "repo, user"
    assert get("/user", token="wide").headers["X-Accepted-OAuth-Scopes"] == ""
    fine = get("/user", token="github_pat_fine").headers
    assert "X-OAuth-Scopes" not in fine
    assert fine["X-Accepted-GitHub-Permissions"] == "metadata=read"
    assert "X-OAuth-Scopes" not in get("/", token=None).headers
