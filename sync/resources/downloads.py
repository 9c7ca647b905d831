"""Releases of a repository, their assets, and how often each asset was downloaded.

https://docs.github.com/rest/releases/releases#list-releases
"""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import UNSET, Struct, UnsetType

from sync.resources.fields import (
    Addend,
    Count,
    Id,
    Name,
    OptionalFlag,
    OptionalLabel,
    OptionalText,
    Time,
    Word,
)
from sync.resources.figures import Merge, RowTable
from sync.resources.repositories import REPOSITORIES
from sync.resources.resource import Due, Endpoint, Resource, Vanishing


class Login(Struct, frozen=True, kw_only=True):
    """The user who published a release or uploaded an asset."""

    login: Name | None


class Asset(Struct, frozen=True, kw_only=True):
    """A file of a release."""

    id: Id
    node_id: OptionalLabel = UNSET
    name: str
    label: OptionalText = UNSET
    state: Word | UnsetType | None = UNSET
    content_type: OptionalText = UNSET
    size: Count  # bytes
    digest: OptionalLabel = UNSET
    download_count: Addend
    created_at: Time = UNSET
    updated_at: Time = UNSET
    uploader: Login | UnsetType | None = UNSET


class Release(Struct, frozen=True, kw_only=True):
    """A release; a draft is shown only to users who may push."""

    id: Id
    node_id: OptionalLabel = UNSET
    tag_name: str
    target_commitish: OptionalText = UNSET
    name: OptionalText = UNSET
    body: OptionalText = UNSET
    draft: bool
    prerelease: bool
    immutable: OptionalFlag = UNSET
    created_at: Time = UNSET
    published_at: Time = UNSET
    updated_at: Time = UNSET
    author: Login | UnsetType | None = UNSET
    html_url: OptionalText = UNSET
    assets: tuple[Asset, ...] = ()


class DownloadReading(Struct, frozen=True, kw_only=True):
    """Days in a row, on each of which all releases of a repository were read."""

    first_day: date
    last_day: date


# What was downloaded on a day is known only if that day and the one before were read.
DOWNLOAD_READINGS = RowTable(
    name="download_readings",
    record=DownloadReading,
    key=("first_day",),
    merge=Merge.LATEST,
    private=(),
)

DOWNLOADS = Resource(
    name="downloads",
    item="release",
    table="releases",
    parent=REPOSITORIES,
    record=Release,
    private=("tag_name", "target_commitish", "name", "body", "author_login", "html_url"),
    hidden_by="draft",
    vanishing=Vanishing.MARK,
    # No field of a repository shows that something was downloaded.
    due=Due(every=timedelta(days=1), idle_every=timedelta(days=7)),
    idle_without="release_assets",
    endpoints=(Endpoint(path="/repositories/{id}/releases", paged=True),),
    needs="contents: read",
)

RELEASE_ASSETS = Resource(
    name="release_assets",
    item="asset",
    table="release_assets",
    parent=DOWNLOADS,
    within="assets",
    record=Asset,
    private=("name", "label", "digest", "uploader_login"),
    counters=("download_count",),
    metrics="asset_downloads",
    vanishing=Vanishing.MARK,
)
