"""CSV is read by spreadsheets: no text of it is taken for a formula, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import repoledger, repoledger_bytes, write_config
from tests.support.servers import databases

FORMULAS = (
    *("=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", "\nx"),
    *("＝1+1", "＋1", "－1", "＠SUM(A1)", " =1", "\u00a0=1", "  \n -1", "\u200b=1", "\ufeff=1"),
    *('=cmd|"/C calc"!A0', "=HYPERLINK(1)", "\x00=1", "\u3000＝1"),
)
PLAIN = (
    "",
    "a=1",
    "1-1",
    "'=1",
    "me@example.com",
    "− minus",
    "a\nb",
    'say "hi", twice',
    "日本",
    "  x",
)
NUMBERS = ("-1", "0", "-1.5", "2.0", "9223372036854775807")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an empty ledger."""
    write_config(tmp_path, "https://api.github.com")
    assert repoledger("migrate", cwd=tmp_path).returncode == 0
    return tmp_path


def table_of(folder: Path, *columns: str) -> list[list[str]]:
    """Return what a program reads of a query's CSV: its header and its one row."""
    done = repoledger_bytes(folder, "query", f"SELECT {', '.join(columns)}", "--format", "csv")
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout.decode(), newline=""), strict=True))


def literal(text: str) -> str:
    return f"CAST(x'{text.encode().hex()}' AS TEXT)"


def test_a_text_that_a_spreadsheet_would_calculate_gets_an_apostrophe(folder: Path) -> None:
    _, row = table_of(folder, *map(literal, FORMULAS))
    assert row == [f"'{text}" for text in FORMULAS]


def test_any_other_text_is_read_back_as_it_is(folder: Path) -> None:
    _, row = table_of(folder, *map(literal, PLAIN))
    assert row == list(PLAIN)


def test_a_number_stays_one_although_it_begins_with_a_minus(folder: Path) -> None:
    _, row = table_of(folder, *NUMBERS)
    assert row == list(NUMBERS)


COMPUTED = {
    "postgresql": [
        ("interval '-1 day'", "-1 days"),
        ("timestamp '-infinity'", "-infinity"),
        ("date '-infinity'", "-infinity"),
        ("'-infinity'::numeric", "-Infinity"),
        ("'-infinity'::float8", "-inf"),
        ("ARRAY[interval '-1 mon']", "-1 mons"),
        ("ARRAY[-1, 2]", "-1,2"),
        ("interval '-1 day' || ''", "'-1 days"),
        ("'-infinity'::text", "'-infinity"),
        ("ARRAY['=1+1']", "'=1+1"),
        ("""'"=1+1"'::jsonb""", "'=1+1"),
    ],
    "mysql": [
        ("CAST('-01:00:00' AS TIME)", "-1 day, 23:00:00"),
        ("-1.5", "-1.5"),
        ("'-01:00:00'", "'-01:00:00"),
    ],
}


@pytest.mark.parametrize("kind", COMPUTED)
def test_what_a_server_computed_is_no_formula_and_a_text_may_be_one(
    tmp_path: Path, kind: str
) -> None:
    with databases(kind, tmp_path) as make:
        config = write_config(tmp_path, "https://api.github.com")
        config.write_text(config.read_text().replace("sqlite:///ledger.db", make()))
        assert repoledger("migrate", cwd=tmp_path).returncode == 0
        _, row = table_of(tmp_path, *(sql for sql, _ in COMPUTED[kind]))
    assert row == [written for _, written in COMPUTED[kind]]


def test_a_column_whose_name_is_a_formula_gets_an_apostrophe(folder: Path) -> None:
    header, _ = table_of(folder, '1 AS "=1+1"', '2 AS "stars"', '3 AS " @x"')
    assert header == ["'=1+1", "stars", "' @x"]


def test_a_description_that_is_a_formula_is_none_in_the_list_of_repositories(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello", description="=1+1", language="-1")
    write_config(tmp_path, github.url)
    assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    done = repoledger("repos", "--format", "csv", cwd=tmp_path)
    (row,) = csv.DictReader(io.StringIO(done.stdout, newline=""))
    assert (row["description"], row["language"]) == ("'=1+1", "'-1")
