"""A page's transaction: what it inserts, updates, leaves, joins and explains."""

from __future__ import annotations

import json
import traceback
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.support.database import (
    HOST,
    START,
    HandClock,
    Json,
    execute,
    repository,
    rows,
    snapshot,
    store_page,
    values,
)
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import (
    CONTENT,
    FIELDS,
    Membership,
    account_repositories,
    dialect_of,
    from_text,
    repositories,
    repository_changes,
)

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

LATER = START + timedelta(hours=1)


def stored(store: Store) -> list[Json]:
    return rows(store.url, select(repositories).order_by(repositories.c.id))


def changes(store: Store) -> list[tuple[Any, ...]]:
    log = repository_changes.c
    query = select(log.repository_id, log.field, log.old_value, log.new_value)
    return values(store.url, query.where(log.field != "created").order_by(log.id))


def memberships(store: Store) -> list[tuple[Any, ...]]:
    member = account_repositories.c
    query = select(member.account, member.repository_id, member.first_seen_at, member.gone_at)
    return values(store.url, query.order_by(member.account, member.repository_id))


def test_a_new_repository_is_stored_field_by_field(store: Store, run: Run) -> None:
    fields = repository(
        1, "octo/one", homepage="https://one.example", has_wiki=True, is_template=None
    )
    assert store_page(store, run, fields).counts == (1, 0, 0)
    (row,) = stored(store)
    assert {name: row[name] for name in FIELDS} == {
        **dict.fromkeys(FIELDS),
        **{name: value for name, value in fields.items() if name in FIELDS},
        "owner_id": 7,
        "owner_login": "octo",
        "owner_type": "User",
        "license_spdx_id": "MIT",
        "created_at": datetime(2020, 1, 1, tzinfo=UTC),
        "updated_at": datetime(2026, 2, 1, tzinfo=UTC),
        "pushed_at": datetime(2026, 2, 2, 3, 4, 5, tzinfo=UTC),
    }
    assert (row["host"], row["id"]) == (HOST, 1)
    assert (row["first_seen_at"], row["changed_at"]) == (START, START)
    assert (row["removed_at"], row["removal_reason"]) == (None, None)
    assert '"full_name": "octo/one"' in row["payload"]


def test_a_new_repository_is_logged_as_a_whole_and_listed_by_its_account(
    store: Store, run: Run
) -> None:
    store_page(store, run, repository(1))
    (created,) = rows(store.url, select(repository_changes))
    assert (created["field"], created["old_value"]) == ("created", None)
    known = {field: text for field, text in json.loads(created["new_value"]).items() if text}
    assert {field: from_text(field, text) for field, text in known.items()} == {
        field: value
        for field, value in stored(store)[0].items()
        if field in CONTENT and value is not None
    }
    assert memberships(store) == [("me", 1, START, None)]


@pytest.mark.matrix("always.unchanged")
def test_an_unchanged_page_writes_nothing(store: Store, run: Run, clock: HandClock) -> None:
    page = [repository(1, "octo/one"), repository(2, "octo/two")]
    store_page(store, run, *page)
    before = snapshot(store.url)
    clock.advance(days=1)
    assert store_page(store, run, *page).counts == (0, 0, 2)
    assert snapshot(store.url) == before


def test_an_update_changes_the_row_and_tells_what_it_was_before(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, "octo/one"), repository(2, "octo/two"))
    clock.advance(hours=1)
    done = store_page(
        store,
        run,
        repository(1, "octo/uno", topics=["sql", "sync"], archived=True, language=None),
        repository(2, "octo/two"),
    )
    assert done.counts == (0, 1, 1)
    one, two = stored(store)
    assert (one["full_name"], one["topics"], one["archived"]) == ("octo/uno", ["sql", "sync"], True)
    assert (one["first_seen_at"], one["changed_at"]) == (START, LATER)
    assert two["changed_at"] == START
    assert changes(store) == [
        (1, "name", "one", "uno"),
        (1, "full_name", "octo/one", "octo/uno"),
        (1, "html_url", "https://github.com/octo/one", "https://github.com/octo/uno"),
        (1, "description", "about one", "about uno"),
        (1, "language", "Python", None),
        (1, "topics", '["sql"]', '["sql","sync"]'),
        (1, "archived", "false", "true"),
    ]


def test_a_change_tells_when_it_was_seen_and_by_which_run(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1))
    clock.advance(hours=1)
    following = store.start_run("me", HOST, "schedule")
    store_page(store, following, repository(1, pushed_at="2026-03-01T14:00:00+02:00"))
    _, row = rows(store.url, select(repository_changes).order_by(repository_changes.c.id))
    assert (row["run_id"], row["observed_at"], row["host"]) == (following.id, LATER, HOST)
    assert (row["old_value"], row["new_value"]) == ("2026-02-02T03:04:05Z", "2026-03-01T12:00:00Z")


def test_a_field_that_an_answer_leaves_out_keeps_what_is_stored(store: Store, run: Run) -> None:
    store_page(store, run, repository(1))
    short = {"id": 1, "name": "one", "full_name": "octo/one", "private": False, "description": "x"}
    assert store_page(store, run, short).counts == (0, 1, 0)
    (row,) = stored(store)
    assert (row["description"], row["language"], row["stargazers_count"]) == ("x", "Python", 10)
    assert changes(store) == [(1, "description", "about one", "x")]


def test_a_repository_that_another_account_lists_too_is_stored_once(
    store: Store, run: Run, clock: HandClock
) -> None:
    store_page(store, run, repository(1, permissions={"admin": True}))
    clock.advance(hours=1)
    work = store.start_run("work", HOST, "backfill")
    assert store_page(store, work, repository(1, permissions={"admin": False})).counts == (0, 0, 1)
    assert [row["changed_at"] for row in stored(store)] == [START]
    assert memberships(store) == [("me", 1, START, None), ("work", 1, LATER, None)]


@pytest.mark.parametrize("fields", [{}, {"description": "changed too"}], ids=["same", "changed"])
def test_a_repository_that_an_account_lists_again_is_no_longer_gone(
    store: Store, run: Run, clock: HandClock, fields: Json
) -> None:
    store_page(store, run, repository(1))
    execute(store.url, "UPDATE account_repositories SET gone_at = '2026-03-01 12:30:00'")
    clock.advance(hours=1)
    store_page(store, run, repository(1, **fields))
    assert memberships(store) == [("me", 1, START, None)]


def test_a_repository_that_a_page_holds_twice_is_written_once_as_it_was_last(
    store: Store, run: Run
) -> None:
    done = store_page(
        store, run, repository(1, description="first"), repository(1, description="last")
    )
    assert done.counts == (1, 0, 1)
    assert [row["description"] for row in stored(store)] == ["last"]


def test_two_repositories_of_one_name_are_two_rows(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one", description="the old"))
    store_page(store, run, repository(2, "octo/one", description="the new"))
    assert [(row["id"], row["full_name"], row["description"]) for row in stored(store)] == [
        (1, "octo/one", "the old"),
        (2, "octo/one", "the new"),
    ]
    assert changes(store) == []


def test_a_change_of_case_alone_is_a_change(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/One"), repository(2, "octo/oNE"))
    assert [row["name"] for row in stored(store)] == ["One", "oNE"]
    store_page(store, run, repository(1, "octo/ONE", description="about One"))
    assert (1, "name", "One", "ONE") in changes(store)
    assert [row["name"] for row in stored(store)] == ["ONE", "oNE"]


def test_one_id_on_two_hosts_is_two_repositories(store: Store, run: Run) -> None:
    store_page(store, run, repository(1, "octo/one"))
    ghe = store.start_run("work", "github.example.com", "backfill")
    assert store_page(store, ghe, repository(1, "corp/tool")).counts == (1, 0, 0)
    assert [(row["host"], row["full_name"]) for row in stored(store)] == [
        ("github.com", "octo/one"),
        ("github.example.com", "corp/tool"),
    ]


@pytest.mark.parametrize("id_", [2**31, 2**53 + 1, 2**63 - 1])
def test_large_ids_are_kept_to_the_last_digit(store: Store, run: Run, id_: int) -> None:
    fields = repository(id_, owner={"id": id_, "login": "octo"}, size=id_)
    store_page(store, run, fields)
    assert [(row["id"], row["owner_id"], row["size"]) for row in stored(store)] == [(id_,) * 3]
    assert store_page(store, run, fields).counts == (0, 0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "👩‍🚀 rocket 🚀",
        "Ünïcödé",
        "עברית",
        "'; DROP TABLE repositories; --",
        "%s ? :x",
        "",
        " a\n\tb ",
    ],
)
def test_any_text_comes_back_as_it_was(store: Store, run: Run, text: str) -> None:
    fields = repository(1, description=text, topics=[text])
    store_page(store, run, fields)
    assert [(row["description"], row["topics"]) for row in stored(store)] == [(text, [text])]
    assert store_page(store, run, fields).counts == (0, 0, 1)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-01-02T03:04:05.678901Z", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)),
        ("2026-01-02T03:04:05.000001Z", datetime(2026, 1, 2, 3, 4, 5, 1, UTC)),
        ("2026-01-02T00:30:00+02:00", datetime(2026, 1, 1, 22, 30, tzinfo=UTC)),
        ("2026-01-01T20:00:00.5-05:30", datetime(2026, 1, 2, 1, 30, 0, 500000, UTC)),
        ("1969-07-20T20:17:40Z", datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC)),
    ],
)
def test_times_are_kept_in_utc_to_the_microsecond(
    store: Store, run: Run, clock: HandClock, sent: str, kept: datetime
) -> None:
    clock.now = kept
    fields = repository(1, created_at=sent)
    store_page(store, run, fields)
    (row,) = stored(store)
    assert [row["created_at"], row["first_seen_at"]] == [kept, kept]
    assert row["created_at"].utcoffset() == timedelta(0)
    assert store_page(store, run, fields).counts == (0, 0, 1)
    # What is compared with a new answer is read back the same, whatever the hash says.
    execute(store.url, "UPDATE repositories SET content_hash = 'another'")
    assert store_page(store, run, fields).counts == (0, 0, 1)


def test_a_clock_of_another_zone_is_written_down_in_utc(
    store: Store, run: Run, clock: HandClock
) -> None:
    clock.now = START.astimezone(timezone(timedelta(hours=2)))
    store_page(store, run, repository(1))
    assert [row["first_seen_at"] for row in stored(store)] == [START]
    assert [since for *_, since, _ in memberships(store)] == [START]


def test_a_page_that_fails_in_the_middle_writes_nothing(store: Store, run: Run) -> None:
    store_page(store, run, repository(1))
    before = snapshot(store.url)

    def work(page: Any) -> None:
        page.connection.exec_driver_sql("UPDATE repositories SET name = 'half'")
        page.join([Membership(1, None)])
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        store.transact(run, work)
    assert snapshot(store.url) == before
    assert store_page(store, run, repository(2)).counts == (1, 0, 0)


def test_an_error_of_the_database_tells_the_file_and_no_values(store: Store, run: Run) -> None:
    execute(store.url, "ALTER TABLE repositories RENAME COLUMN description TO about")
    words = "-".join(["private", "words"])  # a traceback shows source lines, too
    with pytest.raises(DatabaseError) as caught:
        store_page(store, run, repository(1, description=words))
    assert str(caught.value).startswith(f"{dialect_of(store.url).where}: ")
    shown = "".join(traceback.format_exception(caught.value))
    assert "description" in shown
    assert words not in shown
