"""Accounts that are renamed, or taken out of the configuration: what they listed stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import gone, run
from tests.support.database import values
from tests.support.inside.database import BY_DAY, Store
from tests.support.ledger import value
from tests.support.process import repoledger, write_config
from tests.support.runs import fill

SEEING = "ghp_" + "s8" * 18


def listed(store: Store, account: str) -> set[int]:
    query = "SELECT account, repository_id FROM account_repositories WHERE gone_at IS NULL"
    return {id_ for name, id_ in values(store.url, query) if name == account}


def test_repositories_of_an_account_that_left_the_configuration_stay_as_they_were(
    github: Sandbox, store: Store
) -> None:
    mine = fill(github, 5)
    github.add_token("octo", SEEING, scopes=("repo",))
    github.add_user("ada")
    shared = github.add_repository("ada", "shared")
    github.add_collaborator("octo", shared)
    secret = github.add_repository("octo", "secret", private=True, description="mine to see")
    both = ("public", "all")
    owned: dict[str, Any] = {"account": "public", "affiliation": ("owner",)}
    run(github, store, configured=both, **owned)
    run(github, store, account="all", token=SEEING, visibility="all", configured=both)
    for _ in range(2):
        outcome = run(github, store, configured=("public",), **owned)
        assert (outcome.status, outcome.counts.removed) == ("succeeded", 0)
    assert gone(store) == set()
    assert listed(store, "all") == {*mine, shared, secret}
    told = f"SELECT description FROM repositories WHERE id = {secret}"
    assert values(store.url, told) == [("mine to see",)]


def test_an_account_that_is_renamed_goes_on_under_its_new_name(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 5)
    run(github, store, account="old", configured=("old",))
    github.delete(ids[0])
    outcome = run(github, store, account="new", configured=("new",))
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 1)
    assert gone(store) == {ids[0]}
    assert listed(store, "new") == set(ids[1:])


def test_a_renamed_account_looks_for_what_it_listed_until_all_of_it_is_decided(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 5)
    run(github, store, account="old", configured=("old",))
    github.delete(ids[0])
    github.fail(times=3, path=f"/repositories/{ids[0]}", status=502)
    assert run(github, store, account="new", configured=("new",)).counts.withheld == 1
    github.fail(times=0, path=f"/repositories/{ids[0]}", status=502)
    for _ in range(3):
        run(github, store, account="new", configured=("new",))
    assert gone(store) == {ids[0]}


def test_a_dry_run_of_a_renamed_account_announces_what_its_run_removes(
    github: Sandbox, tmp_path: Path
) -> None:
    ids = fill(github, 5)
    for name in ("old", "new"):
        write_config(tmp_path, github.url, f'[[accounts]]\nname = "{name}"\ntoken_env = "TOKEN"\n')
        if name == "old":
            assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
            github.delete(ids[0])
    done = repoledger("backfill", "--dry-run", "--json", cwd=tmp_path, TOKEN=TOKEN)
    announced = {c["id"] for c in json.loads(done.stdout) if c["field"] == "removal_reason"}
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    removed = "SELECT id FROM repositories WHERE removed_at IS NOT NULL"
    assert announced == {value(tmp_path / "ledger.db", removed)} == {ids[0]}


def test_a_dry_run_announces_a_transfer_between_two_accounts_as_the_run_makes_it(
    github: Sandbox, tmp_path: Path
) -> None:
    fill(github, 5)
    github.add_user("ada", token=SEEING)
    for number in range(5):
        github.add_repository("ada", f"r{number}")
    moved = [github.add_repository(owner, f"moved-by-{owner}") for owner in ("octo", "ada")]
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n'
        for name, variable in (("me", "TOKEN"), ("other", "OTHER"))
    )
    write_config(tmp_path, github.url, accounts)
    tokens = {"TOKEN": TOKEN, "OTHER": SEEING}
    assert repoledger("backfill", cwd=tmp_path, **tokens).returncode == 0
    github.transfer(moved[0], "ada")
    github.transfer(moved[1], "octo")
    done = repoledger("backfill", "--dry-run", "--json", cwd=tmp_path, **tokens)
    told = [change for change in json.loads(done.stdout) if change["field"] not in BY_DAY]
    announced = {(change["account"], change["id"], change["field"]) for change in told}
    assert repoledger("backfill", cwd=tmp_path, **tokens).returncode == 0
    logged = values(
        f"sqlite:///{tmp_path / 'ledger.db'}",
        "SELECT account, repository_id, field FROM repository_changes "
        "JOIN sync_runs ON sync_runs.id = run_id WHERE run_id > 2",
    )
    assert announced == set(logged)
    assert {id_ for _, id_, _ in logged} == set(moved)


def test_a_removed_repository_is_not_restored_by_the_answer_to_its_probe(
    github: Sandbox, store: Store
) -> None:
    fill(github, 5)
    github.add_user("ada", token=SEEING)
    github.add_repository("ada", "own")
    shared = github.add_repository("octo", "shared")
    github.add_collaborator("ada", shared)
    run(github, store)
    run(github, store, account="other", token=SEEING)
    github.remove_collaborator("ada", shared)
    outcome = run(github, store, account="other", token=SEEING, configured=("other",))
    assert outcome.counts.removed == 1  # by the one account that was configured then
    github.transfer(shared, "ada")
    outcome = run(github, store)
    assert (outcome.counts.removed, outcome.counts.restored) == (1, 0)
    logged = f"SELECT field FROM repository_changes WHERE run_id = {outcome.run_id}"
    assert values(store.url, logged) == [("account",)]
    current = f"SELECT id FROM current_repositories WHERE id = {shared}"
    assert values(store.url, current) == []
