"""`repoledger backfill --dry-run`: what a run would do, and nothing done."""

from __future__ import annotations

import json
from pathlib import Path

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.ledger import contents, value
from tests.support.process import repoledger, write_config


def test_a_dry_run_prints_the_difference_field_by_field_and_writes_nothing(
    github: Sandbox, folder: Path
) -> None:
    kept = github.add_repository("octo", "kept", description="Old")
    repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    before = contents(folder / "ledger.db")
    github.edit(kept, description="New", stargazers_count=3)
    github.add_repository("octo", "added")
    done = repoledger("backfill", "--dry-run", "--json", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    changes = json.loads(done.stdout)
    updates = [
        (c["repository"], c["field"], c["old_value"], c["new_value"])
        for c in changes
        if c["action"] == "update"
    ]
    assert sorted(updates) == [
        ("octo/kept", "description", "Old", "New"),
        ("octo/kept", "stargazers_count", "0", "3"),
    ]
    assert {c["repository"] for c in changes if c["action"] == "insert"} == {"octo/added"}
    assert {c["host"] for c in changes} == {github.url.removeprefix("http://")}
    assert contents(folder / "ledger.db") == before
    assert value(folder / "ledger.db", "SELECT count(*) FROM sync_runs") == 1


def test_a_dry_run_that_failed_does_not_say_that_nothing_would_change(folder: Path) -> None:
    done = repoledger("backfill", "--dry-run", cwd=folder, TOKEN="ghp_" + "x0" * 18)
    assert done.returncode == 1
    assert "Bad credentials" in done.stderr
    assert "nothing would change" not in done.stderr


def test_a_dry_run_shows_what_the_accounts_own_settings_would_bring(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_token("octo", "a-token-with-scopes", scopes=("repo",))
    github.add_repository("octo", "hidden", private=True)
    write_config(
        tmp_path,
        github.url,
        '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\nvisibility = "all"\n',
    )
    done = repoledger("backfill", "--dry-run", cwd=tmp_path, TOKEN="a-token-with-scopes")
    assert "octo/hidden" in done.stdout


def test_a_dry_run_that_fails_midway_still_prints_whole_json_and_goes_on(
    github: Sandbox, tmp_path: Path
) -> None:
    for n in range(150):
        github.add_repository("octo", f"r{n}")
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN"\n' for n in "ab")
    write_config(tmp_path, github.url, accounts)
    github.fail(path="/user/repos", status=422, query={"page": "2"}, body=b"{}")
    done = repoledger("backfill", "--dry-run", "--json", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 1
    assert {change["account"] for change in json.loads(done.stdout)} == {"a", "b"}
    assert "error: account a: " in done.stderr


def test_a_dry_run_tells_what_would_be_rejected(github: Sandbox, folder: Path) -> None:
    github.add_object({"id": 1, "name": "no full name", "private": False}, listed_by="octo")
    done = repoledger("backfill", "--dry-run", "--json", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 3
    ((change),) = json.loads(done.stdout)
    assert (change["action"], "full_name" in change["new_value"]) == ("reject", True)


def test_a_dry_run_before_the_first_run_makes_no_database(github: Sandbox, folder: Path) -> None:
    github.add_repository("octo", "hello")
    done = repoledger("backfill", "--dry-run", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0
    assert "octo/hello" in done.stdout
    assert not (folder / "ledger.db").exists()


def test_the_table_of_a_dry_run_has_a_line_for_a_new_repository_and_a_sum(
    github: Sandbox, folder: Path
) -> None:
    kept = github.add_repository("octo", "kept", description="Old")
    repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    github.edit(kept, description="New")
    github.add_repository("octo", "added")
    done = repoledger("backfill", "--dry-run", cwd=folder, TOKEN=TOKEN)
    _, _, *rows = done.stdout.splitlines()
    assert sorted(row.split()[:2] for row in rows[:2]) == [
        ["octo/added", "insert"],
        ["octo/kept", "update"],
    ]
    assert rows[2:] in (["", "in sum: update 1, insert 1"], ["", "in sum: insert 1, update 1"])
