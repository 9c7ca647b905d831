"""`repoledger copy` and `repoledger verify`, as a person or a script uses them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute, values
from tests.support.ledger import value
from tests.support.process import on_terminal, repoledger, start_repoledger, write_config
from tests.support.servers import databases

pytestmark = pytest.mark.slow

REPOSITORIES = 120


@pytest.fixture
def synced(folder: Path, github: Sandbox) -> Path:
    """A folder whose ledger.db holds what one backfill found."""
    ids = [
        github.add_repository("octo", f"r{n}", description="one" * 50) for n in range(REPOSITORIES)
    ]
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    github.rename(ids[7], "renamed")
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    return folder


@pytest.fixture(params=["postgresql", "mysql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database on a server."""
    with databases(request.param, tmp_path) as make:
        yield make()


def test_a_ledger_moves_to_a_server_and_the_next_run_goes_on_there(
    synced: Path, github: Sandbox, target: str
) -> None:
    done = repoledger("copy", "--to", target, "--json", cwd=synced)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["table"]: row for row in json.loads(done.stdout)}
    assert rows["repositories"]["rows"] == rows["repositories"]["written"] == REPOSITORIES
    assert all(len(row["checksum"]) == 16 for row in rows.values())
    assert repoledger("verify", "--against", target, cwd=synced).returncode == 0

    moved = {"REPOLEDGER_DATABASE__URL": target, "TOKEN": TOKEN}
    for words in (
        ("repos", "--sort", "stars", "--limit", "5", "--json"),
        ("changes", "--since", "7d", "--format", "csv"),
        ("history", "octo/renamed", "--json"),
        ("query", "SELECT name, size FROM repositories ORDER BY id"),
    ):
        answers = [repoledger(*words, cwd=synced, **where) for where in ({}, moved)]
        assert answers[0].stdout == answers[1].stdout, words
        assert answers[0].returncode == answers[1].returncode == 0

    github.add_repository("octo", "one-more")
    after = repoledger("backfill", "--json", cwd=synced, **moved)
    (outcome,) = json.loads(after.stdout)
    assert (outcome["inserted"], outcome["updated"], outcome["run_id"]) == (1, 0, 3)
    different = repoledger("verify", "--against", target, cwd=synced)
    assert different.returncode == 1
    assert "only there" in different.stdout


def test_times_that_a_query_gives_are_shown_in_utc_wherever_the_reader_is(
    synced: Path, target: str
) -> None:
    assert repoledger("copy", "--to", target, cwd=synced).returncode == 0
    ask = ("query", "--format", "csv", "SELECT min(started_at) AS t FROM sync_runs")
    there = {"REPOLEDGER_DATABASE__URL": target, "TZ": "Asia/Tokyo"}
    shown = repoledger(*ask, cwd=synced, **there).stdout.split()[1]
    ((stored,),) = values(
        f"sqlite:///{synced / 'ledger.db'}", "SELECT min(started_at) FROM sync_runs"
    )
    assert shown == f"{stored.replace(' ', 'T')}Z"


def test_a_copied_file_has_all_its_rows_in_itself(synced: Path) -> None:
    assert repoledger("copy", "--to", "sqlite:///new.db", cwd=synced).returncode == 0
    alone = Path(shutil.copyfile(synced / "new.db", synced / "alone.db"))
    assert value(alone, "SELECT count(*) FROM repositories") == REPOSITORIES


def test_a_copy_that_was_killed_is_finished_by_the_same_command(synced: Path, target: str) -> None:
    many = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO rejected_items (run_id, account, position, reason, payload) "
        "SELECT 1, 'me', i, 'made up', hex(zeroblob(200)) FROM n"
    )
    execute(f"sqlite:///{synced / 'ledger.db'}", many)
    assert repoledger("migrate", cwd=synced, REPOLEDGER_DATABASE__URL=target).returncode == 0
    process = start_repoledger("copy", "--to", target, cwd=synced)
    while not values(target, "SELECT 1 FROM rejected_items LIMIT 1"):
        assert process.poll() is None
    process.kill()
    process.communicate()
    ((kept,),) = values(target, "SELECT count(*) FROM rejected_items")
    assert 0 < kept < 20000
    done = repoledger("copy", "--to", target, "--json", cwd=synced)
    rows = {row["table"]: row for row in json.loads(done.stdout)}
    assert 0 < rows["rejected_items"]["written"] <= 20000 - kept
    assert repoledger("verify", "--against", target, cwd=synced).returncode == 0


def test_both_tables_fit_a_narrow_terminal(synced: Path) -> None:
    for words in (("copy", "--to"), ("verify", "--against")):
        shown = on_terminal(*words, "sqlite:///other.db", cwd=synced, columns=80)
        assert "repository_metrics" in shown
        assert "every row is the same in both." in shown.lower()
        assert max(map(len, shown.splitlines())) <= 80


def test_verify_names_the_rows_that_differ(synced: Path) -> None:
    assert repoledger("copy", "--to", "sqlite:///other.db", cwd=synced).returncode == 0
    execute(f"sqlite:///{synced / 'other.db'}", "UPDATE repositories SET description = 'other'")
    shown = repoledger("verify", "--against", "sqlite:///other.db", cwd=synced)
    assert shown.returncode == 1
    assert shown.stdout.count("differs in description") == 10
    assert "and 110 more rows." in shown.stdout
    asked = repoledger("verify", "--against", "sqlite:///other.db", "--json", cwd=synced)
    found = {each["table"]: each for each in json.loads(asked.stdout)}
    assert found["repositories"]["different"] == REPOSITORIES
    assert found["repositories"]["examples"][0]["why"] == "differs in description"
    assert not found["repositories"]["identical"]


def test_a_password_in_the_url_is_refused_and_not_repeated(synced: Path) -> None:
    for url in ("postgresql://me:hunter2@db/x", "mysql://db/x?password=hunter2"):
        for words in (("copy", "--to"), ("verify", "--against")):
            done = repoledger(*words, url, cwd=synced)
            assert done.returncode == 2
            assert "password" in done.stderr
            assert "hunter2" not in done.stdout + done.stderr


def test_the_password_comes_from_a_variable_or_a_file(synced: Path) -> None:
    with databases("mysql", synced) as make:
        admin = make()
        name = make_url(admin).database
        execute(
            admin,
            f"CREATE USER {name}@localhost IDENTIFIED BY 'p@ss:/ w'",
            f"GRANT ALL ON {name}.* TO {name}@localhost",
        )
        url = make_url(admin).set(username=name, password=None)
        to = ("copy", "--to", url.render_as_string(hide_password=False))
        (synced / "secret").write_text("p@ss:/ w\n", encoding="utf-8")
        (synced / "secret").chmod(0o600)
        by_file = repoledger(*to, "--password-file", "secret", cwd=synced)
        by_variable = repoledger(*to, "--password-env", "PW", cwd=synced, PW="p@ss:/ w")
        wrong = repoledger(*to, "--password-env", "PW", cwd=synced, PW="p@ss:/ x")
        execute(admin, f"DROP USER {name}@localhost")
    assert (by_file.stderr, by_variable.stderr) == ("", "")
    assert wrong.returncode == 2
    assert "Access denied" in wrong.stderr
    assert "p@ss" not in wrong.stderr


def test_what_cannot_be_copied_is_told_in_one_line(synced: Path) -> None:
    for words, told in [
        (("copy", "--to", "sqlite:///ledger.db"), "is the database to copy from"),
        (("copy", "--to", "sqlite:///missing/x.db"), "does not exist"),
        (("copy", "--to", "oracle://db/x"), "postgresql://HOST/DATABASE"),
        (("copy", "--to", "sqlite:///x.db", "--password-env", "PW"), "has no password"),
        (("verify", "--against", "sqlite:///x.db"), "no ledger"),
    ]:
        done = repoledger(*words, cwd=synced)
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr
        assert done.stderr.count("\n") == 1
    nothing = synced / "nothing"
    nothing.mkdir()
    write_config(nothing, "http://127.0.0.1:1/")
    done = repoledger("copy", "--to", "sqlite:///x.db", cwd=nothing)
    assert done.returncode == 2
    assert "no ledger" in done.stderr
    assert not (nothing / "x.db").exists()
