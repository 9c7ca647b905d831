"""Builds the JSON of repositories, as GitHub's REST API does. No I/O here."""

from __future__ import annotations

import base64
from functools import cache

from sync.sandbox.account_json import JSON, SITE, node_id

PERMISSIONS = ("pull", "triage", "push", "maintain", "admin")

_LICENSES = {
    "agpl-3.0": (1, "GNU Affero General Public License v3.0", "AGPL-3.0"),
    "apache-2.0": (2, "Apache License 2.0", "Apache-2.0"),
    "bsd-2-clause": (4, 'BSD 2-Clause "Simplified" License', "BSD-2-Clause"),
    "bsd-3-clause": (5, 'BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
    "gpl-3.0": (9, "GNU General Public License v3.0", "GPL-3.0"),
    "lgpl-3.0": (12, "GNU Lesser General Public License v3.0", "LGPL-3.0"),
    "mit": (13, "MIT License", "MIT"),
    "mpl-2.0": (14, "Mozilla Public License 2.0", "MPL-2.0"),
    "unlicense": (15, "The Unlicense", "Unlicense"),
}

_REPOSITORY_URLS = {
    "url": "",
    "forks_url": "/forks",
    "keys_url": "/keys{/key_id}",
    "collaborators_url": "/collaborators{/collaborator}",
    "teams_url": "/teams",
    "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}",
    "events_url": "/events",
    "assignees_url": "/assignees{/user}",
    "branches_url": "/branches{/branch}",
    "tags_url": "/tags",
    "blobs_url": "/git/blobs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}",
    "statuses_url": "/statuses/{sha}",
    "languages_url": "/languages",
    "stargazers_url": "/stargazers",
    "contributors_url": "/contributors",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}",
    "comments_url": "/comments{/number}",
    "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}",
    "compare_url": "/compare/{base}...{head}",
    "merges_url": "/merges",
    "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads",
    "issues_url": "/issues{/number}",
    "pulls_url": "/pulls{/number}",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "labels_url": "/labels{/name}",
    "releases_url": "/releases{/id}",
    "deployments_url": "/deployments",
}

_HIDDEN_IN_2026_03_10 = frozenset(
    {"has_downloads", "use_squash_pr_title_as_default", "master_branch"}
)

# Fields only of the answer for a single repository; the second set only with push permission.
_ONLY_IN_FULL = frozenset(
    {
        "anonymous_access_enabled",
        "code_of_conduct",
        "custom_properties",
        "network_count",
        "organization",
        "parent",
        "security_and_analysis",
        "source",
        "subscribers_count",
        "temp_clone_token",
        "template_repository",
    }
)
_ONLY_WITH_PUSH: JSON = {
    "allow_squash_merge": True,
    "allow_merge_commit": True,
    "allow_rebase_merge": True,
    "allow_auto_merge": False,
    "delete_branch_on_merge": False,
    "allow_update_branch": False,
    "use_squash_pr_title_as_default": False,
    "squash_merge_commit_message": "COMMIT_MESSAGES",
    "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
    "merge_commit_message": "PR_TITLE",
    "merge_commit_title": "MERGE_MESSAGE",
}

_NEW: JSON = {
    "description": None,
    "fork": False,
    "homepage": None,
    "size": 0,
    "language": None,
    "has_issues": True,
    "has_projects": True,
    "has_downloads": True,
    "has_wiki": True,
    "has_pages": False,
    "has_discussions": False,
    "has_pull_requests": True,
    "pull_request_creation_policy": "all",
    "mirror_url": None,
    "archived": False,
    "disabled": False,
    "license": None,
    "allow_forking": True,
    "is_template": False,
    "web_commit_signoff_required": False,
    "default_branch": "main",
}


def license_object(key: str, api: str) -> JSON:
    """The licence of a repository by its key (`mit`); an unknown key is `other`."""
    if key not in _LICENSES:
        other = base64.b64encode(b"07:License0").decode()
        name = {"key": "other", "name": "Other", "spdx_id": "NOASSERTION"}
        return name | {"url": None, "node_id": other}
    number, name_, spdx = _LICENSES[key]
    return {
        "key": key,
        "name": name_,
        "spdx_id": spdx,
        "url": f"{api}/licenses/{key}",
        "node_id": base64.b64encode(f"07:License{number}".encode()).decode(),
    }


def new_repository(number: int, owner: str, name: str, created: str, given: JSON) -> JSON:
    """The fields of a new repository that do not depend on its place: all but URLs and owner.

    Counters that GitHub serves under two or three names have equal values.
    """
    stars, forks = given.get("stargazers_count", 0), given.get("forks_count", 0)
    issues, private = given.get("open_issues_count", 0), given.get("private", False)
    return (
        _NEW
        | {
            "id": number,
            "node_id": node_id("R", number),
            "name": name,
            "full_name": f"{owner}/{name}",
            "private": private,
            "created_at": created,
            "updated_at": created,
            "pushed_at": created,
            "stargazers_count": stars,
            "watchers_count": stars,
            "forks_count": forks,
            "open_issues_count": issues,
            "topics": [],
            "visibility": "private" if private else "public",
            "forks": forks,
            "open_issues": issues,
            "watchers": stars,
        }
        | given
    )


def repository(
    fields: JSON, place: str, owner: JSON, *, api: str, permission: str, version: str, full: bool
) -> JSON:
    """The JSON of a repository for a viewer.

    `place` is its `owner/name`; `permission` one of PERMISSIONS, or "" for a viewer without a
    token; `full` selects the form of an answer for a single repository.
    """
    url = f"{api}/repos/{place}"
    built: JSON = {key: fields[key] for key in ("id", "node_id", "name", "full_name", "private")}
    built |= {"owner": owner, "html_url": f"https://{SITE}/{place}"}
    built |= {key: url + path for key, path in _REPOSITORY_URLS.items()}
    built |= {
        "git_url": f"git://{SITE}/{place}.git",
        "ssh_url": f"git@{SITE}:{place}.git",
        "clone_url": f"https://{SITE}/{place}.git",
        "svn_url": f"https://{SITE}/{place}",
    }
    if permission:
        built["permissions"] = _permissions(permission)
    can_push = permission in ("push", "maintain", "admin")
    if full:
        built |= {"temp_clone_token": "" if permission else None}
        built |= {"network_count": fields["forks_count"], "subscribers_count": 0}
        built |= _ONLY_WITH_PUSH if can_push else {}
        built |= {"organization": owner} if owner["type"] == "Organization" else {}
    built |= fields
    if isinstance(built["license"], str):
        built["license"] = license_object(built["license"], api)
    for key in _hidden(version, full=full, can_push=can_push):
        built.pop(key, None)
    return built


@cache
def _hidden(version: str, *, full: bool, can_push: bool) -> frozenset[str]:
    hidden = frozenset() if full else _ONLY_IN_FULL
    hidden |= frozenset() if full and can_push else _ONLY_WITH_PUSH.keys()
    return hidden if version == "2022-11-28" else hidden | _HIDDEN_IN_2026_03_10


@cache
def _permissions(held: str) -> JSON:
    rank = PERMISSIONS.index(held)
    return {word: PERMISSIONS.index(word) <= rank for word in reversed(PERMISSIONS)}
