"""Migrations: what the rows of an older ledger are afterwards."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import insert, select, text

from tests.support.database import HOST, execute, rows, users_engine, values
from tests.support.inside.database import (
    Ledger,
    RunCounts,
    as_text,
    migrate,
    rejected_items,
    repositories,
    repository_changes,
    sync_runs,
)
from tests.support.migrating import migrate_to


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, number, hour, tzinfo=UTC)


def test_a_ledger_from_before_updates_were_kept_by_the_day_tells_its_past_as_before(
    database_url: str,
) -> None:
    migrate_to(database_url, "0004")
    seen = {"name": "r", "content_hash": "", "first_seen_at": day(1), "changed_at": day(1)}
    added = [
        {"host": HOST, "id": id_, "full_name": f"octo/r{id_}", "updated_at": day(id_), **seen}
        for id_ in (1, 5)
    ]
    change = {
        "host": HOST,
        "repository_id": 5,
        "run_id": 1,
        "observed_at": day(6, 12),
        "field": "updated_at",
        "old_value": as_text(day(1)),
        "new_value": as_text(day(5)),
    }
    counted = "INSERT INTO repository_metrics (host, repository_id, day) VALUES"
    with users_engine(database_url) as engine, engine.begin() as connection:
        connection.execute(insert(repositories), added)
        connection.execute(insert(repository_changes).values(change))
        for id_, number in ((1, 1), (1, 3), (5, 1), (5, 4), (5, 8)):
            key = f"('{HOST}', {id_}, '2026-01-0{number}')"
            connection.execute(text(f"{counted} {key}"))
    migrate.upgrade(database_url)
    # What the next run writes.
    execute(
        database_url,
        f"{counted} ('{HOST}', 1, '2026-01-20')",
        "UPDATE repository_metrics SET updated_at = '2026-01-20 00:00:00' WHERE day = '2026-01-20'",
        "UPDATE repositories SET updated_at = '2026-01-20 00:00:00' WHERE id = 1",
    )
    with Ledger(database_url) as ledger:
        told = {
            moment: [row["updated_at"] for row in ledger.repos(as_of=moment)]
            for moment in (day(2), day(6), day(7), day(9), day(21))
        }
    assert told == {
        day(2): [day(1), day(1)],
        day(6): [day(1), day(1)],
        day(7): [day(1), day(5)],
        day(9): [day(1), day(5)],
        day(21): [day(20), day(5)],
    }


def test_items_rejected_before_they_were_counted_are_kept_and_found_by_their_repository(
    database_url: str,
) -> None:
    migrate_to(database_url, "0004")
    run = {"account": "me", "trigger": "x", "status": "partial", "complete": True}
    payloads = {7: '{"full_name": "octo/nine", "id": 9}', 6: "not JSON"}
    with users_engine(database_url) as engine, engine.begin() as connection:
        counts = RunCounts().as_dict()
        connection.execute(insert(sync_runs).values(id=7, started_at=day(2), **run, **counts))
        for number, payload in payloads.items():
            kept = {"run": number, "payload": payload}
            connection.execute(
                text(
                    "INSERT INTO rejected_items (run_id, account, position, reason, payload) "
                    "VALUES (:run, 'me', 3, 'odd', :payload)"
                ).bindparams(**kept)
            )
    migrate.upgrade(database_url)
    with users_engine(database_url) as engine, engine.connect() as connection:
        found = connection.execute(select(rejected_items).order_by(rejected_items.c.id)).all()
    assert [(row.run_id, row.payload, row.times) for row in found] == [
        (run_id, payload, 1) for run_id, payload in payloads.items()
    ]
    assert [(row.repository_id, row.full_name) for row in found] == [(9, "octo/nine"), (None, None)]
    assert {row.last_seen_at for row in found} == {row.first_seen_at for row in found} == {day(2)}


def test_views_of_the_user_and_rights_on_ours_outlive_new_columns(database_url: str) -> None:
    migrate_to(database_url, "0014")
    execute(
        database_url,
        "CREATE VIEW my_days AS SELECT day, size FROM repository_daily",
        "INSERT INTO repositories (host, id, name, full_name, content_hash, first_seen_at, "
        "changed_at, payload) VALUES ('github.com', 1, 'r', 'o/r', '', '2026-01-01 00:00:00', "
        "'2026-01-03 10:00:00', 'much')",
        "INSERT INTO repository_metrics (host, repository_id, day, size) "
        "VALUES ('github.com', 1, '2026-01-01', 7)",
    )
    if is_postgresql := database_url.startswith("postgresql"):
        execute(database_url, "GRANT SELECT ON current_repositories TO PUBLIC")
    migrate.upgrade(database_url)
    assert values(database_url, "SELECT min(size) FROM my_days") == [(7,)]
    assert values(database_url, "SELECT DISTINCT full_name FROM repository_daily") == [("o/r",)]
    (row,) = rows(database_url, "SELECT * FROM current_repositories")
    assert (row["full_name"], "payload" in row) == ("o/r", False)
    if is_postgresql:
        right = "has_table_privilege('pg_monitor', 'current_repositories', 'SELECT')"
        assert values(database_url, f"SELECT {right}") == [(True,)]


DAILY = (
    "CREATE VIEW repository_daily AS SELECT host, repository_id, day, stargazers_count, "
    "forks_count, open_issues_count, watchers_count, size{more} FROM repository_metrics"
)


def daily_after_migration(database_url: str, more: str) -> list[str]:
    """Return the days that the view shows of a row of 1 January, if it was another one before."""
    migrate_to(database_url, "0005")
    removed = "'2026-01-03 10:00:00', 'not_found'"
    execute(
        database_url,
        "DROP VIEW repository_daily",
        DAILY.format(more=more),
        "INSERT INTO repositories (host, id, name, full_name, content_hash, first_seen_at, "
        "changed_at, removed_at, removal_reason) VALUES ('github.com', 1, 'r', 'o/r', '', "
        f"'2026-01-01 00:00:00', '2026-01-03 10:00:00', {removed})",
        "INSERT INTO repository_metrics (host, repository_id, day) "
        "VALUES ('github.com', 1, '2026-01-01')",
    )
    migrate.upgrade(database_url)
    days = values(database_url, "SELECT day FROM repository_daily ORDER BY day")
    return [str(day) for (day,) in days]


def test_the_daily_view_of_an_older_ledger_is_made_anew(database_url: str) -> None:
    shown = daily_after_migration(database_url, "")
    assert shown == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_a_daily_view_that_the_user_has_made_another_of_stays(database_url: str) -> None:
    assert daily_after_migration(database_url, ", 5 AS mine") == ["2026-01-01"]
