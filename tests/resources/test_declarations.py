"""Resources: what their declarations say of columns, without any database."""

from __future__ import annotations

import pytest

from tests.support.inside.config import RESOURCES as CONFIGURED
from tests.support.inside.config import Resources
from tests.support.inside.database import CHILDREN, ROWS, metadata
from tests.support.inside.github import READING
from tests.support.inside.resources import (
    OF_REPOSITORIES,
    REPOSITORIES,
    RESOURCES,
    Resource,
)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_a_resource_describes_only_columns_that_it_has(
    resource: Resource,
) -> None:
    assert {*resource.key, *resource.private, *resource.by_day} <= resource.columns.keys()
    assert set(resource.unstored) <= set(resource.record.__struct_fields__)


def test_parents_stand_before_their_children() -> None:
    for at, resource in enumerate(RESOURCES):
        assert resource.parent is None or resource.parent in RESOURCES[:at]


def test_a_resource_cannot_exist_without_saying_what_of_it_is_private() -> None:
    said = {"name": "x", "item": "x", "table": "x", "record": REPOSITORIES.record}
    with pytest.raises(TypeError, match="'private'"):
        Resource(**said, vanishing=REPOSITORIES.vanishing)  # type: ignore[arg-type]


def test_objects_within_a_record_have_a_column_for_each_of_their_fields() -> None:
    owner = [name for name, column in REPOSITORIES.columns.items() if column.field == "owner"]
    assert owner == ["owner_id", "owner_login", "owner_type"]


def test_repositories_are_read_as_in_version_0_1_0_so_that_remembered_pages_hold() -> None:
    assert READING == "c486ae0e"  # another one has every page of every ledger be asked for whole


def test_a_purge_forgets_every_table_that_tells_of_a_repository() -> None:
    told = {name for name, table in metadata.tables.items() if "repository_id" in table.columns}
    known = {"rejected_items", "page_cache", "resource_changes", "resource_states"}
    of_repositories = {"account_repositories", "departures", "repository_changes"}
    children = {table.name for table in (*CHILDREN.values(), *ROWS.values())}
    assert told == known | of_repositories | children | {REPOSITORIES.metrics}


def test_each_resource_of_repositories_can_be_switched_on_in_the_configuration() -> None:
    configured = {name for name, _ in CONFIGURED}
    assert {each.name for each in OF_REPOSITORIES} <= configured
    assert set(Resources.__struct_fields__) == configured | {"default"}
