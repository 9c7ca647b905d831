"""The commands that ask the ledger, as processes."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import (
    COMMAND,
    environment,
    on_terminal,
    repoledger,
    start_repoledger,
    write_config,
)


@pytest.fixture(scope="session")
def synced_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger has three repositories and two runs' worth of changes."""
    folder = tmp_path_factory.mktemp("synced")
    with Sandbox() as github:
        github.add_user("octo", token=TOKEN, scopes=())
        write_config(folder, github.url)
        first = github.add_repository(
            "octo", "alpha", language="Python", description="=cmd|' /C calc'!A0", stargazers_count=5
        )
        github.add_repository("octo", "beta", language="Go", stargazers_count=50, archived=True)
        github.add_repository("octo", "gamma", description="a\x1b[31mred\nline", fork=True)
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        github.edit(first, homepage="https://alpha.example")
        github.rename(first, "alpha-two")
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    return folder


@pytest.fixture
def synced(synced_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of the test's own."""
    return shutil.copytree(synced_once, tmp_path / "synced")


def names(folder: Path, *options: str) -> list[str]:
    done = repoledger("repos", *options, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return [row["name"] for row in json.loads(done.stdout)]


def test_repositories_are_filtered_sorted_and_limited(synced: Path) -> None:
    assert names(synced) == ["alpha-two", "beta", "gamma"]
    assert names(synced, "--sort", "stars") == ["beta", "alpha-two", "gamma"]
    assert names(synced, "--sort", "stars", "--reverse", "--limit", "1") == ["gamma"]
    assert names(synced, "--language", "python") == ["alpha-two"]
    assert names(synced, "--archived") == ["beta"]
    assert names(synced, "--not-fork") == ["alpha-two", "beta"]
    assert names(synced, "--name", "ALPHA") == ["alpha-two"]
    assert names(synced, "--account", "me", "--fork") == ["gamma"]


def test_an_account_that_nobody_knows_is_wrong_use(synced: Path) -> None:
    done = repoledger("repos", "--account", "nobody", cwd=synced)
    assert done.returncode == 2
    assert "no account 'nobody'" in done.stderr


def test_a_limit_that_is_no_sensible_number_is_wrong_use(synced: Path) -> None:
    done = repoledger("repos", "--limit", "9" * 30, cwd=synced)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments", [("repos", "--json"), ("--version",), ("--help",)], ids=lambda a: a[0]
)
def test_an_output_that_cannot_be_written_is_told_without_a_traceback(
    synced: Path, arguments: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=synced,
            env=environment(synced),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_an_endless_query_ends_with_ctrl_c(synced: Path) -> None:
    # Thousands of rows, and then a search that never ends.
    sql = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT x FROM n WHERE x < 50000"
    )
    process = start_repoledger("query", sql, "--format", "ndjson", cwd=synced)
    assert process.stdout is not None
    assert process.stdout.read(4096)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT


def test_a_table_shows_no_control_characters_and_one_line_a_repository(synced: Path) -> None:
    done = repoledger("repos", cwd=synced)
    assert "\x1b" not in done.stdout
    assert "a\\x1b[31mred\\nline" in done.stdout
    assert len(done.stdout.splitlines()) == 2 + 3


def test_a_table_fits_an_80_column_terminal_and_names_are_cut_last(synced: Path) -> None:
    shown = on_terminal("repos", cwd=synced, columns=80)
    header, _, *lines = shown.splitlines()
    assert header.split() == ["full_name", "stars", "language", "pushed", "description"]
    assert [line.split()[0] for line in lines] == ["octo/alpha-two", "octo/beta", "octo/gamma"]
    assert max(map(len, shown.splitlines())) <= 80


def test_a_table_in_a_pipe_is_uncut_and_aligned_whatever_takes_two_cells(synced: Path) -> None:
    sql = "SELECT '日本語' AS name, 1 AS n UNION ALL SELECT 'short', 22"
    done = repoledger("query", sql, cwd=synced)
    assert done.stdout.splitlines() == [
        "name     n",
        "───────────",
        "日本語   1",
        "short   22",
    ]


def test_a_text_of_wide_characters_is_cut_to_the_width_of_a_terminal(synced: Path) -> None:
    sql = f"SELECT '{'日本語' * 20}' AS name"
    shown = on_terminal("query", sql, cwd=synced, columns=40)
    assert shown.splitlines()[-1] == "日本語" * 6 + " …"


def test_a_row_that_is_too_wide_for_the_terminal_becomes_a_block(synced: Path) -> None:
    shown = on_terminal("query", "SELECT * FROM sync_runs LIMIT 1", cwd=synced, columns=80)
    fields = dict(line.split(None, 1) for line in shown.splitlines() if len(line.split()) > 1)
    assert (fields["account"], fields["inserted"]) == ("me", "3")


def test_the_fields_of_a_block_stand_below_each_other_whatever_takes_two_cells(
    synced: Path,
) -> None:
    sql = f"""SELECT 1 AS "日本語", {", ".join(f"2 AS long_name_{n}" for n in range(9))}"""
    shown = on_terminal("query", sql, cwd=synced, columns=40)
    assert shown.splitlines()[:2] == ["日本語       1", "long_name_0  2"]


def test_csv_is_whole_and_safe_to_open_in_a_spreadsheet(synced: Path) -> None:
    done = repoledger("repos", "--format", "csv", cwd=synced)
    table = list(csv.DictReader(done.stdout.splitlines(keepends=True)))
    assert [row["name"] for row in table] == ["alpha-two", "beta", "gamma"]
    assert table[0]["description"].startswith("'=cmd")
    assert (table[1]["archived"], table[1]["stargazers_count"]) == ("true", "50")
    assert datetime.fromisoformat(table[0]["created_at"]).tzinfo is not None


def test_ndjson_is_one_object_a_line(synced: Path) -> None:
    done = repoledger("repos", "--format", "ndjson", cwd=synced)
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == [
        *("alpha-two", "beta", "gamma")
    ]


def test_changes_are_found_by_the_present_and_the_former_name(synced: Path) -> None:
    for name in ("octo/alpha-two", "octo/alpha", "OCTO/Alpha"):
        done = repoledger("changes", "--repository", name, "--fields", "--json", cwd=synced)
        fields = {row["field"]: row["new_value"] for row in json.loads(done.stdout)}
        assert fields["homepage"] == "https://alpha.example"
        assert fields["full_name"] == "octo/alpha-two"


def test_changes_are_limited_to_a_time_and_a_field(synced: Path) -> None:
    recent = repoledger("changes", "--since", "1h", "--field", "homepage", "--json", cwd=synced)
    assert len(json.loads(recent.stdout)) == 1
    none = repoledger("changes", "--until", "1990-01-01", "--since", "all", "--json", cwd=synced)
    assert json.loads(none.stdout) == []
    wrong = repoledger("changes", "--since", "yesteryear", cwd=synced)
    assert wrong.returncode == 2
    assert "2026-05-01" in wrong.stderr


def test_status_tells_how_fresh_each_account_is(synced: Path) -> None:
    done = repoledger("status", "--json", cwd=synced)
    (row,) = json.loads(done.stdout)
    assert (row["account"], row["login"], row["status"]) == ("me", "octo", "succeeded")
    assert row["repositories"] == 3
    assert "s ago" in row["synced"]


def test_status_names_an_account_that_was_never_synced(folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    done = repoledger("status", cwd=folder)
    assert done.returncode == 0
    assert "never synced" in done.stdout


def test_a_query_gives_its_columns_also_when_two_have_one_name(synced: Path) -> None:
    sql = "SELECT name, id AS name FROM current_repositories WHERE name = 'beta'"
    done = repoledger("query", sql, "--json", cwd=synced)
    (row,) = json.loads(done.stdout)
    assert list(row) == ["name", "name_2"]
    assert row["name"] == "beta"


def test_a_query_is_read_from_stdin(synced: Path) -> None:
    done = repoledger(
        "query", "-", "--format", "csv", cwd=synced, stdin="SELECT count(*) AS n FROM repositories"
    )
    assert done.stdout == "n\n3\n"


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM repositories",
        "WITH x AS (SELECT 1) INSERT INTO accounts SELECT 'a', 'b', 1, 'c', 1, null, null",
        "ATTACH 'other.db' AS other",
        "PRAGMA query_only = OFF",
        "VACUUM INTO 'copy.db'",
        "CREATE TEMP TABLE t (a)",
        "SELECT 1; DELETE FROM repositories",
        "SELEKT 1",
        "",
    ],
)
def test_a_query_that_is_not_reading_is_refused_and_changes_nothing(synced: Path, sql: str) -> None:
    before = (synced / "ledger.db").read_bytes()
    done = repoledger("query", sql, cwd=synced)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert (synced / "ledger.db").read_bytes() == before
    assert not list(synced.glob("*copy*")) + list(synced.glob("other*"))


def test_without_a_ledger_the_reader_is_told_how_to_make_one(folder: Path) -> None:
    for command in (
        ("repos",),
        ("changes",),
        ("history", "a/b"),
        ("status",),
        ("query", "SELECT 1"),
    ):
        done = repoledger(*command, cwd=folder)
        assert done.returncode == 2
        assert "repoledger backfill" in done.stderr
        assert not (folder / "ledger.db").exists()


def test_a_reader_that_stops_reading_gets_no_traceback(synced: Path) -> None:
    sql = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 200000) "
        "SELECT x FROM n"
    )
    process = subprocess.Popen(
        [*COMMAND, "query", sql, "--format", "ndjson"],
        cwd=synced,
        env=environment(synced),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == '{"x":1}\n'
    process.stdout.close()
    errors = process.stderr.read()
    process.wait(timeout=30)
    process.stderr.close()
    assert errors == ""


def test_text_that_the_terminal_cannot_show_is_spelled_out(synced: Path) -> None:
    sql = "SELECT char(128640) AS rocket"
    done = repoledger("query", sql, cwd=synced, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, "\\U0001f680" in done.stdout) == (0, True)


def test_a_filter_that_is_no_valid_text_is_told_without_a_traceback(synced: Path) -> None:
    done = repoledger("repos", "--name", "\udcff", cwd=synced)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
