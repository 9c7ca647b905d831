"""Builds the JSON of accounts, quotas and the root, as GitHub's REST API does. No I/O here."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any

JSON = dict[str, Any]

# A reserved domain: nothing that is shown or followed can reach a real account.
SITE = "github.example"


def timestamp(value: datetime | str) -> str:
    """A time as GitHub writes it: `2026-03-10T00:00:00Z`. A datetime must have its zone."""
    if isinstance(value, str):
        return value
    if value.tzinfo is None:
        raise ValueError(f"a time without a zone: {value}")
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(prefix: str, number: int) -> str:
    """The id that GraphQL uses: a prefix for the kind, and the number packed."""
    short = number < 2**32
    packed = b"\x92\x00" + (b"\xce" if short else b"\xcf") + number.to_bytes(4 if short else 8)
    return f"{prefix}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


@cache
def simple_user(login: str, number: int, kind: str, api: str) -> JSON:
    """An account in its short form, as in a repository's `owner`. Not to be changed in place."""
    url = f"{api}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("O" if kind == "Organization" else "U", number),
        "avatar_url": f"https://avatars.{SITE}/u/{number}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"https://{SITE}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def public_user(short: JSON, *, name: str | None, created_at: str, public_repos: int) -> JSON:
    """An account as anyone sees it, from its short form."""
    return short | {
        "name": name,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": public_repos,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": created_at,
        "updated_at": created_at,
    }


def private_user(public: JSON, *, private_repos: int, collaborators: int) -> JSON:
    """An account as it sees itself, from its public form."""
    return public | {
        "user_view_type": "private",
        "private_gists": 0,
        "total_private_repos": private_repos,
        "owned_private_repos": private_repos,
        "disk_usage": 0,
        "collaborators": collaborators,
        "two_factor_authentication": True,
        "plan": {"name": "free", "space": 976562499, "collaborators": 0, "private_repos": 10000},
    }


def organization(public: JSON) -> JSON:
    """An organization at `/orgs/{org}`, from its public form."""
    api = public["url"].replace("/users/", "/orgs/")
    return {key: public[key] for key in _IN_ORGANIZATION} | {
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "description": None,
        "is_verified": False,
        "has_organization_projects": True,
        "has_repository_projects": True,
        "archived_at": None,
    }


def rate_limit(used: int, limit: int, reset: int, version: str) -> JSON:
    """The answer of `/rate_limit`; other resources than `core` are never used here."""
    core = {"limit": limit, "used": used, "remaining": limit - used, "reset": reset}
    idle = {"limit": 30, "used": 0, "remaining": 30, "reset": reset}
    answer: JSON = {"resources": {"core": core, "search": idle, "graphql": core}}
    return answer | {"rate": core} if version == "2022-11-28" else answer


def root(api: str, version: str) -> JSON:
    """The answer of `/`: the URLs of all endpoints."""
    urls = {key: f"{api}{path}" for key, path in _ROOT.items()}
    if version == "2022-11-28":
        urls |= {"authorizations_url": f"{api}/authorizations", "hub_url": f"{api}/hub"}
    return urls | {
        "current_user_authorizations_html_url": (
            f"https://{SITE}/settings/connections/applications{{/client_id}}"
        )
    }


_IN_ORGANIZATION = (
    *("login", "id", "node_id", "avatar_url", "html_url", "type", "name", "company"),
    *("blog", "location", "email", "twitter_username", "public_repos", "public_gists"),
    *("followers", "following", "created_at", "updated_at"),
)
_PAGED = "{&page,per_page,sort,order}"
_ROOT = {
    "current_user_url": "/user",
    "code_search_url": "/search/code?q={query}" + _PAGED,
    "commit_search_url": "/search/commits?q={query}" + _PAGED,
    "emails_url": "/user/emails",
    "emojis_url": "/emojis",
    "events_url": "/events",
    "feeds_url": "/feeds",
    "followers_url": "/user/followers",
    "following_url": "/user/following{/target}",
    "gists_url": "/gists{/gist_id}",
    "issue_search_url": "/search/issues?q={query}" + _PAGED,
    "issues_url": "/issues",
    "keys_url": "/user/keys",
    "label_search_url": "/search/labels?q={query}&repository_id={repository_id}{&page,per_page}",
    "notifications_url": "/notifications",
    "organization_url": "/orgs/{org}",
    "organization_repositories_url": "/orgs/{org}/repos{?type,page,per_page,sort}",
    "organization_teams_url": "/orgs/{org}/teams",
    "public_gists_url": "/gists/public",
    "rate_limit_url": "/rate_limit",
    "repository_url": "/repos/{owner}/{repo}",
    "repository_search_url": "/search/repositories?q={query}" + _PAGED,
    "current_user_repositories_url": "/user/repos{?type,page,per_page,sort}",
    "starred_url": "/user/starred{/owner}{/repo}",
    "starred_gists_url": "/gists/starred",
    "topic_search_url": "/search/topics?q={query}{&page,per_page}",
    "user_url": "/users/{user}",
    "user_organizations_url": "/user/orgs",
    "user_repositories_url": "/users/{user}/repos{?type,page,per_page,sort}",
    "user_search_url": "/search/users?q={query}" + _PAGED,
}
