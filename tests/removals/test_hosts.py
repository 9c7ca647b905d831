"""Ids are those of one host: what another host gives the same id stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import run
from tests.support.database import Json, execute, rows, values
from tests.support.inside.config import Removals
from tests.support.inside.database import Ledger, Store, metadata
from tests.support.process import repoledger, write_config
from tests.support.runs import fill

ELSEWHERE = "ghp_" + "y5" * 18
_TABLES = ("repositories", "account_repositories", "repository_changes", "repository_metrics")


def host(github: Sandbox) -> str:
    return github.url.removeprefix("http://")


def of_host(store: Store, github: Sandbox) -> Json:
    """Return all that is stored of the repositories of a host."""
    place = host(github)
    tables = (metadata.tables[name] for name in _TABLES)
    return {
        table.name: rows(
            store.url, select(table).where(table.c.host == place).order_by(*table.primary_key)
        )
        for table in tables
    }


def point(url: str, github: Sandbox, account: str = "me") -> None:
    """Have an account of the ledger be of another host, as earlier versions let it."""
    execute(url, f"UPDATE accounts SET host = '{host(github)}' WHERE name = '{account}'")


GOES: dict[str, Callable[[Sandbox, int], object]] = {
    "deleted": lambda github, id_: github.delete(id_),
    "private": lambda github, id_: github.make_private(id_),
    "blocked": lambda github, id_: github.block(id_),
    "transferred": lambda github, id_: github.transfer(id_, "stranger"),
}


@pytest.mark.parametrize("what", GOES)
@pytest.mark.parametrize("on_private", ["redact", "purge", "keep"])
def test_a_removal_at_one_host_leaves_the_other_host_alone(
    github: Sandbox, store: Store, what: str, on_private: Any
) -> None:
    rules = Removals(on_private=on_private)
    github.set_scopes(TOKEN, ("repo",))
    github.add_user("stranger")
    ids = fill(github, 3)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        assert fill(elsewhere, 3) == ids
        run(elsewhere, store, token=ELSEWHERE, account="other")
        run(github, store)
        before = of_host(store, elsewhere)
        assert len(before["repositories"]) == 3
        GOES[what](github, ids[1])
        outcome = run(github, store, removals=rules)
        assert (outcome.status, outcome.counts.removed) == ("succeeded", 1)
        assert of_host(store, elsewhere) == before
        again = run(elsewhere, store, token=ELSEWHERE, account="other", removals=rules)
        assert (again.status, again.counts.removed) == ("succeeded", 0)
        assert of_host(store, elsewhere) == before


def current(store: Store) -> set[tuple[str, int]]:
    return set(values(store.url, "SELECT host, id FROM current_repositories"))


def test_repositories_of_a_former_host_are_reported_and_removed_when_that_is_accepted(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 250)
    run(github, store)
    with Sandbox() as elsewhere, Ledger(store.url) as ledger:
        elsewhere.add_user("octo", token=TOKEN)
        fill(elsewhere, 3)
        point(store.url, elsewhere)
        for status in ("partial", "partial"):  # until somebody decides
            with capture_logs() as events:
                outcome = run(elsewhere, store)
            assert (outcome.status, outcome.complete, outcome.counts.withheld) == (
                status,
                True,
                250,
            )
            assert f"250 repositories that the account listed at {host(github)}" in str(
                outcome.error
            )
            (event,) = [event for event in events if event["event"] == "account.host_changed"]
            assert (event["before"], event["now"]) == (host(github), host(elsewhere))
            (row,) = ledger.status()
            assert (row["repositories"], row["elsewhere"]) == (3, 250)
        outcome = run(elsewhere, store, accept_removals=True)
        assert (outcome.status, outcome.counts.removed) == ("succeeded", 250)
        assert {place for place, _ in current(store)} == {host(elsewhere)}
        reasons = (
            "SELECT DISTINCT host, removal_reason FROM repositories WHERE removed_at IS NOT NULL"
        )
        assert values(store.url, reasons) == [(host(github), "unlisted")]
        (row,) = ledger.status()
        assert (row["repositories"], row["elsewhere"]) == (3, 0)
        assert run(elsewhere, store).status == "succeeded"
    # Who goes back finds it as it was.
    point(store.url, github)
    assert run(github, store, accept_removals=True).counts.restored == 250
    assert current(store) == {(host(github), id_) for id_ in ids}


def test_a_repository_that_another_account_lists_at_the_former_host_stays(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 3)
    both = ("me", "other")
    run(github, store, configured=both)
    run(github, store, account="other", configured=both)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=TOKEN)
        fill(elsewhere, 1)
        point(store.url, elsewhere)
        run(elsewhere, store, accept_removals=True, configured=both)
    assert {(host(github), id_) for id_ in ids} < current(store)


def test_a_dry_run_tells_of_the_former_host_as_the_run_does(
    github: Sandbox, tmp_path: Path
) -> None:
    ids = fill(github, 3)
    write_config(tmp_path, github.url)
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=TOKEN)
        fill(elsewhere, 1)
        write_config(tmp_path, elsewhere.url)
        point(f"sqlite:///{tmp_path / 'ledger.db'}", elsewhere)

        def announced(*options: str) -> set[tuple[int, str]]:
            done = repoledger(
                "backfill", "--dry-run", "--json", *options, cwd=tmp_path, TOKEN=TOKEN
            )
            return {(row["id"], row["action"]) for row in json.loads(done.stdout)}

        inserted = {(id_, "insert") for id_ in ids[:1]}
        assert announced() == {(id_, "withhold") for id_ in ids} | inserted
        assert announced("--accept-removals") == {(id_, "remove") for id_ in ids} | inserted
        done = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN)
        assert (done.returncode, "--accept-removals" in done.stdout) == (3, True)
        told = repoledger("check", cwd=tmp_path, TOKEN=TOKEN).stdout
        assert "3 repositories that me listed at another host" in told
        assert (
            "3 repositories of another host still count as current"
            in repoledger("status", cwd=tmp_path).stdout
        )
        done = repoledger("backfill", "--accept-removals", cwd=tmp_path, TOKEN=TOKEN)
        assert done.returncode == 0
        assert "another host" not in repoledger("status", cwd=tmp_path).stdout


def test_an_account_is_synced_from_the_only_host_that_ever_answered_it(
    github: Sandbox, store: Store
) -> None:
    fill(github, 3)
    run(github, store)
    with Sandbox() as elsewhere:
        point(store.url, elsewhere)
    outcome = run(github, store)
    assert (outcome.status, outcome.counts.items) == ("succeeded", 3)
    (place,) = values(store.url, "SELECT host FROM accounts")
    assert place == (host(github),)


def test_check_and_status_advise_only_what_a_run_does(github: Sandbox, tmp_path: Path) -> None:
    fill(github, 3)
    write_config(tmp_path, github.url)
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    def said(command: str) -> tuple[int, str]:
        done = repoledger(command, cwd=tmp_path, TOKEN=TOKEN)
        return done.returncode, " ".join(done.stdout.split())

    assert said("backfill")[0] == 0
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=TOKEN)
        fill(elsewhere, 1)
        point(url, elsewhere)
        # Only one host has answered: the next run puts the account right.
        for command in ("check", "status"):
            code, told = said(command)
            assert (code, "another host" in told, "its own" in told) == (0, False, False)
        write_config(tmp_path, elsewhere.url)
        assert said("backfill")[0] == 3
        assert "--accept-removals" in said("status")[1]
        # Both have, so that a run at the former one is refused.
        write_config(tmp_path, github.url)
        for command, code in (("check", 1), ("status", 0), ("backfill", 2), ("status", 0)):
            found, told = said(command)
            assert (found, "--accept-removals" in told) == (code, False)
            assert told.count(f"give the account for {host(github)} a name of its own") == 1


def test_removed_repositories_are_not_counted_for_an_account(github: Sandbox, store: Store) -> None:
    ids = fill(github, 5)
    run(github, store)
    github.add_token("octo", ELSEWHERE)
    run(github, store, account="other", token=ELSEWHERE)
    github.delete(ids[0])
    # The one that is configured no longer keeps its membership, and what it lists is gone.
    run(github, store, account="other", token=ELSEWHERE, configured=("other",))
    with Ledger(store.url) as ledger:
        counted = {row["account"]: row["repositories"] for row in ledger.status()}
    assert counted == {"me": 4, "other": 4}


def test_payloads_of_rejected_items_of_the_other_host_stay(github: Sandbox, store: Store) -> None:
    github.set_scopes(TOKEN, ("repo",))
    ids = fill(github, 3)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        assert fill(elsewhere, 3) == ids
        for server in (elsewhere, github):
            server.edit(ids[1], full_name=None)
        run(elsewhere, store, token=ELSEWHERE, account="other")
        run(github, store)
        github.edit(ids[1], full_name="octo/repo-0001")
        run(github, store)
        github.make_private(ids[1])
        assert run(github, store).counts.removed == 1
    kept = "SELECT account FROM rejected_items WHERE payload IS NOT NULL"
    assert values(store.url, kept) == [("other",)]
    forgotten = "SELECT account FROM rejected_items WHERE payload IS NULL"
    assert values(store.url, forgotten) == [("me",)]


def test_payloads_that_an_account_met_before_its_host_changed_are_forgotten_too(
    github: Sandbox, store: Store
) -> None:
    github.set_scopes(TOKEN, ("repo",))
    github.add_token("octo", ELSEWHERE)
    ids = fill(github, 3)
    run(github, store)
    github.edit(ids[1], full_name=None)
    run(github, store, account="other", token=ELSEWHERE)
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        point(store.url, elsewhere, "other")
        run(elsewhere, store, token=ELSEWHERE, account="other")
    github.edit(ids[1], full_name="octo/repo-0001")
    github.make_private(ids[1])
    run(github, store, configured=("me",))
    assert values(store.url, "SELECT account, payload FROM rejected_items") == [("other", None)]


def test_removed_repositories_of_a_former_host_need_no_confirmation(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 3)
    github.add_token("octo", ELSEWHERE)
    run(github, store)
    run(github, store, account="other", token=ELSEWHERE)
    github.delete(ids[0])
    run(github, store, configured=("me",))
    with Sandbox() as elsewhere:
        elsewhere.add_user("octo", token=ELSEWHERE)
        point(store.url, elsewhere, "other")
        outcome = run(elsewhere, store, token=ELSEWHERE, account="other")
    with Ledger(store.url) as ledger:
        counted = {row["account"]: row["elsewhere"] for row in ledger.status()}
    assert (outcome.counts.withheld, counted["other"]) == (2, 2)
