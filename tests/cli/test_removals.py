"""Removals as a user meets them: the difference beforehand, the brake, the way past it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.database import BY_DAY
from tests.support.ledger import contents, rows, value
from tests.support.process import on_terminal, repoledger, write_config
from tests.support.runs import fill

# Sees private repositories: to others, what turned private is not found.
SEEING = "ghp_" + "s" * 36

Difference = set[tuple[Any, ...]]


def backfill(folder: Path, *options: str, code: int = 0, token: str = TOKEN) -> str:
    done = repoledger("backfill", *options, cwd=folder, TOKEN=token, OTHER="ghp_" + "o" * 36)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def announced(folder: Path, *options: str, code: int = 0, token: str = TOKEN) -> Difference:
    """Return what a dry run prints of the log: nothing that is kept by the day, and no times."""
    changes = json.loads(backfill(folder, "--dry-run", "--json", *options, code=code, token=token))
    told = (c for c in changes if c["field"] not in BY_DAY)
    return {(c["id"], c["field"], c["old_value"], _timeless(c)) for c in told}


def _timeless(change: dict[str, Any]) -> Any:
    return None if change["field"] == "removed_at" else change["new_value"]


def logged(folder: Path, run: int) -> Difference:
    """Return what a run wrote to the log, new repositories field by field."""
    found: Difference = set()
    query = (
        "SELECT repository_id, field, old_value, new_value FROM repository_changes "
        f"WHERE run_id = {run}"
    )
    for id_, field, old, new in rows(folder / "ledger.db", query):
        if field == "created":
            known = {name: text for name, text in json.loads(new).items() if text is not None}
            found |= {(id_, name, None, text) for name, text in known.items() if name not in BY_DAY}
        else:
            found.add((id_, field, old, None if field == "removed_at" else new))
    return found


def test_a_run_logs_exactly_what_a_dry_run_announced(github: Sandbox, folder: Path) -> None:
    ids = fill(github, 30)
    github.add_user("ada", token="ghp_" + "a" * 36)
    backfill(folder)
    github.make_private(ids[0])  # to this token, not found
    backfill(folder)
    github.make_public(ids[0])
    github.delete(ids[1])
    github.transfer(ids[2], "ada")
    github.block(ids[3])
    github.rename(ids[4], "REPO-0004")
    github.star(ids[5], by=3)
    github.edit(ids[6], description="new", topics=["a"])
    github.add_repository("octo", "added")
    before = contents(folder / "ledger.db")
    expected = announced(folder)
    assert contents(folder / "ledger.db") == before
    backfill(folder)
    assert logged(folder, run=3) == expected
    assert {"removed_at", "removal_reason", "account", "owner_id"} <= {d[1] for d in expected}


def test_a_dry_run_announces_what_a_redaction_takes_away(github: Sandbox, folder: Path) -> None:
    secret = github.add_repository("octo", "secret", description="plans", topics=["a"])
    fill(github, 10)
    github.add_token("octo", SEEING, scopes=("repo",))
    backfill(folder, token=SEEING)
    github.make_private(secret)
    expected = announced(folder, token=SEEING)
    assert {
        (secret, "name", "secret", f"[redacted-{secret}]"),
        (secret, "full_name", "octo/secret", f"octo/[redacted-{secret}]"),
        (secret, "description", "plans", None),
        (secret, "topics", '["a"]', None),
        (secret, "visibility", "public", "private"),
        (secret, "removal_reason", None, "private"),
    } <= expected
    assert not {field for _, field, _, _ in expected} & {"redacted", "owner_login", "created_at"}


def test_two_accounts_that_lose_one_are_announced_as_they_are_run(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_user("ada", token="ghp_" + "o" * 36)
    ids = fill(github, 10)
    for id_ in ids:
        github.add_collaborator("ada", id_)
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n'
        for name, variable in (("me", "TOKEN"), ("other", "OTHER"))
    )
    write_config(tmp_path, github.url, accounts)
    backfill(tmp_path)
    github.delete(ids[0])
    github.remove_collaborator("ada", ids[1])
    github.add_repository("octo", "added")
    expected = announced(tmp_path)
    backfill(tmp_path)
    assert logged(tmp_path, run=3) | logged(tmp_path, run=4) == expected
    assert (ids[0], "account", "me", None) in expected
    assert (ids[1], "account", "me", None) not in expected


@pytest.fixture
def emptied(github: Sandbox, folder: Path) -> list[int]:
    """The ids of ten repositories that were synced, half of which are gone."""
    ids = fill(github, 10)
    backfill(folder)
    for id_ in ids[:5]:
        github.delete(id_)
    return ids


def test_what_is_withheld_is_told_until_it_is_accepted(folder: Path, emptied: list[int]) -> None:
    printed = " ".join(backfill(folder, code=3).split())
    assert "5 of 10 repositories went missing from the list, and none was removed" in printed
    assert "repoledger backfill --account me --accept-removals" in printed
    status = repoledger("status", cwd=folder).stdout
    assert "partial" in status
    assert "5 of 10 repositories went missing from the list" in " ".join(status.split())
    assert value(folder / "ledger.db", "SELECT count(*) FROM current_repositories") == 10
    backfill(folder, "--accept-removals")
    assert value(folder / "ledger.db", "SELECT count(*) FROM current_repositories") == 5
    assert "went missing" not in repoledger("status", cwd=folder).stdout
    removed = repoledger("repos", "--removed", "--json", cwd=folder).stdout
    assert {(r["id"], r["removal_reason"]) for r in json.loads(removed)} == {
        (id_, "not_found") for id_ in emptied[:5]
    }


def test_a_dry_run_names_what_is_withheld_and_what_accepting_would_do(
    folder: Path, emptied: list[int]
) -> None:
    withheld = announced(folder, code=3)
    assert {(id_, field) for id_, field, _, _ in withheld} == {(id_, "") for id_ in emptied[:5]}
    assert {new for *_, new in withheld} == {"more than 20% are missing at once"}
    accepted = announced(folder, "--accept-removals")
    assert {d for d in accepted if d[1] == "removal_reason"} == {
        (id_, "removal_reason", None, "not_found") for id_ in emptied[:5]
    }


def test_the_log_tells_of_removals_and_of_what_is_withheld(github: Sandbox, folder: Path) -> None:
    ids = fill(github, 10)
    backfill(folder)
    github.delete(ids[0])
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(e["event"], e.get("id"), e.get("reason")) for e in events] == [
        ("repository.removed", ids[0], "not_found"),
        ("sync.run_finished", None, None),
    ]
    for id_ in ids[1:6]:
        github.delete(id_)
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    withheld = json.loads(done.stderr.splitlines()[0])
    assert withheld["event"] == "sync.removals_withheld"
    assert (withheld["missing"], withheld["members"], withheld["withheld"]) == (5, 9, 5)


def test_the_name_of_what_turned_private_is_in_no_output(github: Sandbox, folder: Path) -> None:
    secret = github.add_repository("octo", "plan-b", description="quietly")
    fill(github, 10)
    github.add_token("octo", SEEING, scopes=("repo",))
    backfill(folder, token=SEEING)
    github.make_private(secret)
    done = repoledger("backfill", cwd=folder, TOKEN=SEEING)
    for command in (("changes", "--json"), ("repos", "--removed", "--json"), ("repos", "--json")):
        done.stdout += repoledger(*command, cwd=folder).stdout
    assert "private" in done.stdout
    for word in ("plan-b", "quietly"):
        assert word not in done.stdout + done.stderr
        assert word.encode() not in (folder / "ledger.db").read_bytes()


def test_the_result_fits_a_terminal_of_80_columns(github: Sandbox, folder: Path) -> None:
    fill(github, 3)
    shown = on_terminal("backfill", cwd=folder, columns=80, TOKEN=TOKEN)
    assert shown.splitlines()[-1].split()[:6] == ["me", "succeeded", "3", "0", "0", "0"]
    assert max(len(line) for line in shown.splitlines()[-3:]) <= 80


@pytest.mark.parametrize(("on_private", "done"), [("redact", "redacted"), ("purge", "purged")])
def test_check_and_status_tell_what_waits_to_be_cleared_and_for_whom(
    github: Sandbox, tmp_path: Path, on_private: str, done: str
) -> None:
    other = "ghp_" + "o" * 36
    github.add_token("octo", SEEING, scopes=("repo",))
    github.add_user("hubber", token=other)
    ids = fill(github, 3)
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{token}"\n'
        for name, token in (("me", "TOKEN"), ("other", "OTHER"), ("third", "OTHER"))
    )
    rules = f'[removals]\non_private = "{on_private}"\n'
    write_config(tmp_path, github.url, accounts + rules)
    backfill(tmp_path, token=SEEING)
    github.make_private(ids[0])
    backfill(tmp_path, "--account", "me", token=SEEING)

    def said(command: str) -> list[str]:
        told = repoledger(command, cwd=tmp_path, TOKEN=SEEING, OTHER=other).stdout
        return [line for line in told.splitlines() if f"will be {done}" in line]

    def line(waiting: str) -> str:
        return (
            f"1 repository became private and will be {done} once no other account can list it: "
            f"waiting for a complete list of {waiting}"
        )

    assert said("status") == [line("other, third")]
    assert said("check") == [f"warn  database: {line('other, third')}"]
    backfill(tmp_path, "--account", "other", token=SEEING)
    assert said("status") == [line("third")]
    write_config(tmp_path, github.url, accounts + rules.replace(on_private, "keep"))
    assert said("status") == []
    write_config(tmp_path, github.url, accounts + rules)
    backfill(tmp_path, "--account", "third", token=SEEING)
    assert (said("status"), said("check")) == ([], [])
