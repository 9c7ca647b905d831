"""Repositories, which an account lists.

Field names and types follow GitHub's OpenAPI description of `repository` and
`minimal-repository`. A listing without a token may leave out what only the former has.
https://docs.github.com/rest/repos/repos
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from sync.resources.fields import (
    FullName,
    Id,
    License,
    Name,
    OptionalCount,
    OptionalFlag,
    OptionalLabel,
    OptionalText,
    Owner,
    Time,
    Topics,
    Word,
)
from sync.resources.resource import Resource, Vanishing


class Repository(Struct, frozen=True, kw_only=True):
    """A repository as a listing or a request by id gives it; fields as GitHub names them.

    https://docs.github.com/rest/repos/repos#get-a-repository
    """

    id: Id
    node_id: OptionalLabel = UNSET
    name: Name
    full_name: FullName
    private: bool
    owner: Owner | UnsetType | None = UNSET
    html_url: OptionalText = UNSET
    description: OptionalText = UNSET
    homepage: OptionalText = UNSET
    language: OptionalLabel = UNSET
    license: License | UnsetType | None = UNSET
    topics: Topics | UnsetType | None = UNSET
    default_branch: OptionalText = UNSET
    visibility: Word | UnsetType | None = UNSET
    fork: OptionalFlag = UNSET
    archived: OptionalFlag = UNSET
    disabled: OptionalFlag = UNSET
    is_template: OptionalFlag = UNSET
    has_issues: OptionalFlag = UNSET
    has_projects: OptionalFlag = UNSET
    has_wiki: OptionalFlag = UNSET
    has_pages: OptionalFlag = UNSET
    has_discussions: OptionalFlag = UNSET
    stargazers_count: OptionalCount = UNSET
    watchers_count: OptionalCount = UNSET
    forks_count: OptionalCount = UNSET
    open_issues_count: OptionalCount = UNSET
    size: OptionalCount = UNSET  # kilobytes
    created_at: Time = UNSET
    updated_at: Time = UNSET
    pushed_at: Time = UNSET


REPOSITORIES = Resource(
    name="repositories",
    item="repository",
    table="repositories",
    record=Repository,
    unstored=("private",),  # `visibility` contains it
    # Of a redacted full name, the owner stays.
    private=(
        *("name", "full_name", "html_url", "description", "homepage", "language"),
        *("license_spdx_id", "topics", "default_branch"),
    ),
    counters=(*("stargazers_count", "forks_count", "open_issues_count", "watchers_count", "size"),),
    daily=("updated_at",),  # moves with every star
    metrics="repository_metrics",
    vanishing=Vanishing.MARK,  # after a request by id; see sync/removals
)
