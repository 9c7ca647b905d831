"""`repoledger resources`, and what `status` and `check` say of resources, word for word."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.process import on_terminal, repoledger, write_config

ON = '\n[resources]\ndefault = "auto"\n'
NAMES = ["traffic", "traffic_popular", "downloads", "stars", "languages"]
BARE = "github_pat_bare"  # a fine-grained token without Administration
ALLOWING = (
    "a fine-grained token needs read access to Administration (repository permission); a classic "
    "token needs the scope public_repo or repo and push access"
)


def fill(github: StandIn, owner: str = "octo") -> None:
    """Make two repositories that have traffic, stars and languages."""
    today = datetime.now(UTC).date()
    for name in ("one", "two"):
        id_ = github.add_repository(owner, name)
        github.set_traffic(id_, "views", {today - timedelta(days=n): (5, 2) for n in range(9)})
        github.set_child(id_, "languages", {"C": 3})
        github.star(id_)


@pytest.fixture
def shown(github: StandIn, tmp_path: Path) -> Path:
    """A folder with every resource on, for an account with two repositories that have traffic."""
    github.set_scopes(TOKEN, ("public_repo",))
    fill(github)
    write_config(tmp_path, github.url, extra=ON)
    return tmp_path


@pytest.fixture
def enterprise(tmp_path: Path) -> Iterator[StandIn]:
    """An Enterprise Server, which has no traffic and no history of stars."""
    with StandIn(enterprise=True) as github:
        github.add_user("octo", token=TOKEN, scopes=("repo",))
        github.set_child(github.add_repository("octo", "one"), "languages", {"C": 3})
        write_config(tmp_path, github.url, extra=ON)
        yield github


def done(folder: Path, *words: str, token: str = TOKEN) -> str:
    return repoledger(*words, cwd=folder, TOKEN=token).stdout


def table(folder: Path, token: str = TOKEN) -> tuple[dict[str, list[str]], list[str]]:
    """Return the rows of `resources` by name, and the lines below."""
    lines = done(folder, "resources", token=token).splitlines()[2:]
    rows = {line.split()[0]: line.split()[1:] for line in lines if ":" not in line}
    return rows, [line for line in lines if ":" in line]


def told(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["resource"]: row for row in listed(folder)}


def listed(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads(done(folder, "resources", "--json")))


def checked(folder: Path, token: str = TOKEN) -> list[str]:
    """Return what `check` says of resources, with results."""
    found = done(folder, "check", token=token).splitlines()
    words = (*(f"{name}:" for name in NAMES), "resources")
    return [line for line in found if line.split(": ", 1)[1].startswith(words)]


def change(folder: Path, sql: str) -> None:
    with sqlite3.connect(folder / "ledger.db") as ledger:
        ledger.execute(sql)
    ledger.close()


def test_what_was_never_read_waits(shown: Path) -> None:
    done(shown, "backfill", "--resources", "none")
    rows, notes = table(shown)
    assert set(NAMES) < rows.keys()
    assert all(rows[name] == ["auto", "0", "0", "2", "0", "0", "now"] for name in NAMES)
    assert rows["forks"] == ["off", "0", "0", "0", "0", "0"]
    assert notes == []


def test_what_is_read_is_counted_with_the_requests_it_cost(shown: Path) -> None:
    done(shown, "backfill")
    rows = told(shown)
    assert [rows[name]["read"] for name in NAMES] == [2] * 5
    assert [rows[name]["waiting"] for name in NAMES] == [0] * 5
    assert [rows[name]["requests_24h"] for name in NAMES] == [4, 4, 2, 2, 2]
    assert [rows[name]["requests_last_run"] for name in NAMES] == [4, 4, 2, 2, 2]
    days = datetime.fromisoformat(rows["traffic"]["nothing_lost_before"]) - datetime.now(UTC)
    assert timedelta(days=13) < days <= timedelta(days=14)
    assert rows["traffic"]["oldest_at"] <= rows["traffic"]["newest_at"]
    assert table(shown)[0]["languages"][-2:] == ["on", "change"]


def test_what_is_due_waits_and_says_until_when_nothing_is_lost(shown: Path) -> None:
    done(shown, "backfill")
    long_ago = "UPDATE resource_states SET next_at = '2026-01-01 00:00:00.000000'"
    change(shown, f"{long_ago} WHERE resource = 'traffic'")
    rows, (note,) = table(shown)
    assert rows["traffic"][-4:] == ["2", "0", "4", "now"]
    assert (told(shown)["traffic"]["waiting"], told(shown)["downloads"]["waiting"]) == (2, 0)
    lost_on = (datetime.now(UTC) + timedelta(days=14)).date()
    assert note == f"me: traffic: nothing is lost before {lost_on}"
    change(shown, "UPDATE resource_states SET lost_at = '2026-01-05 00:00:00.000000'")
    assert table(shown)[1] == ["me: traffic: some of it is lost since 2026-01-05"]


def test_lists_of_repositories_without_views_do_not_wait(github: StandIn, shown: Path) -> None:
    github.add_repository("octo", "quiet")
    done(shown, "backfill")
    change(shown, "UPDATE resource_states SET next_at = '2026-01-01 00:00:00.000000'")
    waiting = {name: row["waiting"] for name, row in told(shown).items()}
    assert (waiting["traffic"], waiting["traffic_popular"]) == (3, 2)
    assert told(shown)["stars"]["repositories"] == 2  # it has none


def test_only_the_repositories_that_the_configuration_names_are_wanted(
    github: StandIn, shown: Path
) -> None:
    chosen = '\n[resources]\ndefault = false\nlanguages = { repositories = ["octo/o*"] }\n'
    write_config(shown, github.url, extra=chosen)
    done(shown, "backfill", "--resources", "none")
    assert (told(shown)["languages"]["repositories"], told(shown)["languages"]["waiting"]) == (1, 1)
    done(shown, "backfill")
    assert (told(shown)["languages"]["read"], told(shown)["languages"]["waiting"]) == (1, 0)
    assert table(shown)[0]["traffic"][0] == "off"


def test_what_was_read_before_the_configuration_named_others_does_not_wait(
    github: StandIn, shown: Path
) -> None:
    done(shown, "backfill")
    long_ago = "'2026-01-01 00:00:00.000000'"
    change(shown, f"UPDATE resource_states SET next_at = {long_ago}, lost_at = {long_ago}")
    chosen = '\n[resources]\ndefault = false\ntraffic = { repositories = ["octo/one"] }\n'
    write_config(shown, github.url, extra=chosen)
    row = told(shown)["traffic"]
    assert (row["repositories"], row["read"], row["waiting"]) == (1, 1, 1)
    done(shown, "backfill")
    row = told(shown)["traffic"]
    assert (row["read"], row["waiting"], row["never_read"]) == (1, 0, 0)
    assert row["nothing_lost_before"] > long_ago.strip("'")


def test_lost_days_stay_visible(shown: Path) -> None:
    done(shown, "backfill")
    change(shown, "UPDATE resource_runs SET lost_days = 3 WHERE resource = 'traffic'")
    (note,) = table(shown)[1]
    today = datetime.now(UTC).date()
    assert note == f"me: traffic: 3 days lost since {today}"
    assert told(shown)["traffic"]["lost_days"] == 3
    assert ", 3 days lost, oldest " in done(shown, "status")


def test_each_account_has_its_own_rows_that_fit_a_terminal(github: StandIn, shown: Path) -> None:
    github.add_user("hubot", token="ghp_hubot", scopes=("public_repo",))
    fill(github, "hubot")
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n'
        for name, variable in (("me", "TOKEN"), ("bot", "BOT"))
    )
    write_config(shown, github.url, accounts, ON)
    repoledger("backfill", cwd=shown, TOKEN=TOKEN, BOT="ghp_hubot")
    lines = on_terminal("resources", cwd=shown, columns=80).splitlines()
    assert max(map(len, lines)) <= 80
    each = len(listed(shown)) // 2
    assert [line.split()[0] for line in lines[2:]] == ["me"] * each + ["bot"] * each
    assert len(done(shown, "resources", "--account", "bot").splitlines()) == 2 + each
    wrong = repoledger("resources", "--account", "bat", cwd=shown)
    assert wrong.returncode == 2
    assert "there is no account 'bat' in config.toml; did you mean bot?" in wrong.stderr


def test_status_has_it_in_a_line(shown: Path) -> None:
    done(shown, "backfill")
    last = done(shown, "status").splitlines()[-1]
    assert re.fullmatch(r"me: resources: 10 read, 0 refused, 0 waiting, oldest \d+ s", last)
    (row,) = json.loads(done(shown, "status", "--json"))
    assert {k: v for k, v in row["resources"].items() if k != "oldest_at"} == {
        "read": 10,
        "refused": 0,
        "waiting": 0,
        "lost_days": 0,
    }


def test_status_without_resources_has_no_such_line(github: StandIn, folder: Path) -> None:
    github.add_repository("octo", "one")
    done(folder, "backfill")
    assert "resources" not in done(folder, "status")


def test_check_tries_each_resource_once_and_says_what_the_ledger_has(
    github: StandIn, shown: Path
) -> None:
    assert checked(shown) == [
        f"ok    account me: {name}: may be read (tried with octo/one)" for name in NAMES
    ]
    paths = [request.path for request in github.requests if "/repositories/" in request.path]
    assert len(paths) == len(NAMES)
    done(shown, "backfill")
    now = f"{datetime.now(UTC):%Y-%m-%d}"
    stored = checked(shown)[: len(NAMES)]
    assert stored[0].startswith(f"ok    database: traffic: last read {now} ")
    assert stored[0].endswith(" UTC, 26 rows")
    assert stored[4].endswith(" UTC, 2 rows")


def test_check_says_that_nothing_was_tried_without_a_repository(
    github: StandIn, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url, extra=ON)
    nothing = "ok    account me: resources are not tested: the list has no repository yet"
    assert checked(tmp_path) == [nothing]


# A token without push rights


def test_a_token_without_the_scope_sees_what_is_refused(github: StandIn, shown: Path) -> None:
    github.set_scopes(TOKEN, ())
    assert checked(shown) == [
        f"warn  account me: traffic: refused; {ALLOWING}",
        f"warn  account me: traffic_popular: refused; {ALLOWING}",
        *(f"ok    account me: {name}: may be read (tried with octo/one)" for name in NAMES[2:]),
    ]
    done(shown, "backfill")
    rows, notes = table(shown)
    assert rows["traffic"][:5] == ["auto", "0", "2", "0", "0"]
    assert rows["stars"][:3] == ["auto", "2", "0"]
    cure = "the token needs push access; a classic one also the scope public_repo or repo"
    assert notes == [
        f"me: traffic: refused for 2 repositories: {cure}",
        f"me: traffic_popular: refused for 2 repositories: {cure}",
    ]


def test_an_account_that_may_not_push_sees_that_there_is_no_traffic_for_it(
    github: StandIn, shown: Path
) -> None:
    github.add_user("reader", token="ghp_reader", scopes=("repo",))
    for id_ in (500000001, 500000002):
        github.add_collaborator("reader", id_, permission="pull")
    nobody = (
        "the first page of the list has no repository that the account may push to, and GitHub "
        "shows it to nobody else"
    )
    assert checked(shown, "ghp_reader")[:2] == [
        f"warn  account me: traffic: {nobody}",
        f"warn  account me: traffic_popular: {nobody}",
    ]
    repoledger("backfill", cwd=shown, TOKEN="ghp_reader")
    rows, notes = table(shown)
    assert rows["traffic"] == ["auto", "0", "0", "0", "0", "0"]
    (note,) = notes
    assert note == (
        "me: traffic and traffic_popular: nothing to read: no repository yet that the account may "
        "push to"
    )
    asked = [request.path for request in github.requests if "traffic" in request.path]
    assert asked == []


# A fine-grained token without Administration


def test_a_fine_grained_token_without_administration_sees_what_to_add(
    github: StandIn, shown: Path
) -> None:
    github.add_token("octo", BARE, permissions={"metadata": "read", "contents": "read"})
    assert checked(shown, BARE)[:2] == [
        f"warn  account me: traffic: refused; {ALLOWING}",
        f"warn  account me: traffic_popular: refused; {ALLOWING}",
    ]
    done(shown, "backfill", token=BARE)
    notes = table(shown)[1]
    cure = "the token needs read access to Administration"
    assert notes[0] == f"me: traffic: refused for 2 repositories: {cure}"
    assert told(shown)["traffic"]["reason"] == f"refused for 2 repositories: {cure}"


def test_what_was_read_before_a_token_without_administration_is_not_called_never_read(
    github: StandIn, shown: Path
) -> None:
    github.add_token("octo", BARE, permissions={"metadata": "read", "contents": "read"})
    done(shown, "backfill")
    done(shown, "backfill", "--repository", "octo/one", "--repository", "octo/two", token=BARE)
    stored = checked(shown, BARE)[:2]
    assert stored[0] == "ok    database: traffic: the last answers are no readings, 26 rows"
    assert stored[1] == "ok    database: traffic_popular: never read, no rows"


# An Enterprise Server without /traffic


def test_an_enterprise_server_sees_what_it_does_not_have(
    enterprise: StandIn, tmp_path: Path
) -> None:
    assert checked(tmp_path) == [
        "ok    account me: traffic: not on this server",
        "ok    account me: traffic_popular: not on this server",
        "ok    account me: downloads: may be read (tried with octo/one)",
        "ok    account me: stars: not on this server",
        "ok    account me: languages: may be read (tried with octo/one)",
    ]
    done(tmp_path, "backfill")
    rows, notes = table(tmp_path)
    assert rows["traffic"][:5] == ["auto", "0", "0", "0", "0"]
    absent = "not on this server: it answers 404 for 1 repository"
    assert notes == [f"me: traffic: {absent}", f"me: traffic_popular: {absent}"]
