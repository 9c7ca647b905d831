"""Pages remembered in `page_cache`, for conditional requests."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

from sync.database.store import Store
from sync.database.writes import Run
from sync.forges.answers import CachedPage
from sync.rest.entity_tag import is_entity_tag


def remembered_pages(store: Store, run: Run) -> dict[str, CachedPage]:
    """Return the remembered pages of the run's account, by key.

    Without pages of a repository that the account no longer lists in the ledger, for example
    because its row was deleted by hand: a 304 would not bring the row back.
    """
    pages = cached_pages(store.cached_pages(run.account))
    listed = set(store.read(run, lambda reader: list(reader.members((run.account,)))))
    return {
        key: page
        for key, page in pages.items()
        if key.endswith(" identity") or listed.issuperset(page.ids)
    }


def cached_pages(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, CachedPage]:
    """Decode rows of `page_cache`, by key; rows without a usable ETag are left out."""
    return {
        key: CachedPage(
            etag=row["etag"],
            item_count=row["item_count"],
            next_url=row["next_url"],
            ids=array("q", row["ids"]),
        )
        for key, row in rows.items()
        if is_entity_tag(row["etag"])
    }
