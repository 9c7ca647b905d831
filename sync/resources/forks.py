"""Forks of a repository, as far as they are public.

https://docs.github.com/rest/repos/forks#list-forks
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from sync.resources.fields import (
    FullName,
    Id,
    Name,
    OptionalCount,
    OptionalLabel,
    OptionalText,
    Time,
)
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Due, Endpoint, Resource, Vanishing


class ForkOwner(Struct, frozen=True, kw_only=True):
    """The user or organization that owns a fork."""

    login: Name | None


class Fork(Struct, frozen=True, kw_only=True):
    """A repository that was made of another one."""

    id: Id
    node_id: OptionalLabel = UNSET
    name: Name
    full_name: FullName
    private: bool
    owner: ForkOwner | UnsetType | None = UNSET
    html_url: OptionalText = UNSET
    created_at: Time = UNSET
    pushed_at: Time = UNSET
    updated_at: Time = UNSET
    stargazers_count: OptionalCount = UNSET


FORKS = Resource(
    name="forks",
    item="fork",
    table="forks",
    parent=REPOSITORIES,
    record=Fork,
    private=("name", "full_name", "owner_login", "html_url"),
    unstored=("private",),  # only public ones are stored
    withheld_by="private",
    daily=("pushed_at", "updated_at", "stargazers_count"),
    vanishing=Vanishing.MARK,
    due=Due(when_changed=("forks_count",), not_if_zero="forks_count"),
    endpoints=(
        Endpoint(path="/repositories/{id}/forks", query="sort=oldest&per_page=100", paged=True),
    ),
    needs="metadata: read",
)
