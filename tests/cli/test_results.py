"""Results of commands in files: their format, and what is in a workbook and in a Parquet file."""

from __future__ import annotations

import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

from tests.support.process import COMMAND, environment, on_terminal, repoledger, repoledger_bytes

LISTS = (
    *("repos", "changes", "status", "resources", "accounts --offline", "query"),
    *("verify --against sqlite:///ledger.db",),
)
NAMES = "SELECT full_name, stargazers_count, fork FROM repositories ORDER BY id"


def cells(file: Path) -> list[list[tuple[str, str]]]:
    """Return the type and the content of each cell of a workbook."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(file) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{space}f")), "a formula"
    return [
        [(cell.get("t", "n"), "".join(cell.itertext())) for cell in row.iter(f"{space}c")]
        for row in sheet.iter(f"{space}row")
    ]


@pytest.mark.parametrize("command", LISTS)
def test_every_list_goes_to_a_file(counted: Path, command: str) -> None:
    words = [*command.split(), *([NAMES] if command == "query" else [])]
    for file, options in (("r.json", ["--json"]), ("r.csv", ["--format", "csv"]), ("r.txt", [])):
        written = repoledger(*words, "-o", file, cwd=counted, TOKEN="x")
        assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
        piped = repoledger_bytes(counted, *words, *options, TOKEN="x")
        told = [len((counted / file).read_bytes().splitlines()), len(piped.stdout.splitlines())]
        assert told[0] == told[1] > 0
    for file in ("r.xlsx", "r.parquet"):
        done = repoledger(*words, "-o", file, cwd=counted, TOKEN="x")
        assert (done.returncode, done.stderr) == (0, "")
    rows = pyarrow.parquet.read_table(counted / "r.parquet").num_rows
    assert rows == len(cells(counted / "r.xlsx")) - 1 > 0


def test_an_ending_and_a_format_that_do_not_fit_are_refused(counted: Path) -> None:
    known = ".txt, .json, .ndjson, .csv, .xlsx, .parquet"
    for options, told in (
        (("-o", "r.svg"), f"the ending .svg is of no known format: end it with one of {known}"),
        (
            ("-o", "r"),
            f"a name without an ending is of no known format: end it with one of {known}",
        ),
        (("-o", "r.json", "--format", "csv"), "--format csv contradicts the ending .json"),
        (("-o", "r.txt", "--format", "xlsx"), "--format xlsx contradicts the ending .txt"),
        (("--json", "--format", "csv"), "--json and --format csv contradict each other"),
    ):
        done = repoledger("repos", *options, cwd=counted, COLUMNS="200")
        assert (done.returncode, told in done.stderr) == (2, True), done.stderr
        assert not list(counted.glob("r*"))
    for options in (
        ("-o", "r.CSV"),
        ("-o", "s.txt", "--format", "csv"),
        ("-o", "t", "--format", "csv"),
    ):
        assert repoledger("repos", *options, cwd=counted).returncode == 0
        assert (counted / options[1]).read_text().startswith("host,id,")


def test_a_workbook_has_texts_numbers_and_times_and_no_formula(counted: Path) -> None:
    texts = ("=1+1", "+1", "https://a.b", "a\x1b\x00b", "日本 🎉", "_x0041_", "12")
    shown = ", ".join(f"CAST(x'{text.encode().hex()}' AS TEXT)" for text in texts)
    sql = f"SELECT {shown}, 7, 1.5, 10000000000000000, x'00ff', NULL"
    assert repoledger("query", sql, "-o", "r.xlsx", cwd=counted).returncode == 0
    _, row = cells(counted / "r.xlsx")
    assert row == [
        *(("inlineStr", text) for text in texts[:3]),
        ("inlineStr", "a_x001B__x0000_b"),
        ("inlineStr", texts[4]),
        ("inlineStr", "_x005F_x0041_"),
        ("inlineStr", "12"),
        ("n", "7"),
        ("n", "1.5"),
        ("inlineStr", "10000000000000000"),
        ("inlineStr", "00ff"),
    ]
    assert repoledger("repos", "-o", "r.xlsx", cwd=counted).returncode == 0
    _, first, *_ = cells(counted / "r.xlsx")
    today = (datetime.now(UTC) - datetime(1899, 12, 30, tzinfo=UTC)).days
    assert any(kind == "n" and abs(float(value) - today) <= 1 for kind, value in first)


def test_a_text_too_long_for_a_cell_is_cut_and_told(counted: Path) -> None:
    done = repoledger("query", "SELECT hex(zeroblob(20000))", "-o", "r.xlsx", cwd=counted)
    told = "warning: 1 texts are cut: a cell of Excel has room for 32,767 characters\n"
    assert (done.returncode, done.stderr) == (0, told)
    _, [(_, text)] = cells(counted / "r.xlsx")
    assert (len(text), text[-2:]) == (32_767, "0…")


@pytest.mark.slow
def test_more_rows_than_a_sheet_has_are_refused_and_the_file_stays(counted: Path) -> None:
    (counted / "r.xlsx").write_text("precious")
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1048576)"
    done = repoledger("query", f"{many} SELECT i FROM n", "-o", "r.xlsx", cwd=counted)
    assert done.returncode == 2
    assert "a sheet of Excel has room for 1,048,575 rows and a header" in done.stderr
    assert (counted / "r.xlsx").read_text() == "precious"
    assert not list(counted.glob(".*.partial"))


def test_a_parquet_file_has_the_types_of_the_values(counted: Path) -> None:
    assert repoledger("repos", "-o", "r.parquet", cwd=counted).returncode == 0
    table = pyarrow.parquet.read_table(counted / "r.parquet")
    types = {name: str(table.schema.field(name).type) for name in table.column_names}
    shown = ("full_name", "id", "fork", "topics", "first_seen_at", "removed_at")
    assert [types[name] for name in shown] == [
        *("string", "int64", "bool", "list<element: string>"),
        *("timestamp[us, tz=UTC]", "string"),
    ]
    moment = table.column("first_seen_at")[0].as_py()
    assert abs((datetime.now(UTC) - moment).days) <= 1


def test_values_of_several_types_in_a_column_are_kept(counted: Path) -> None:
    mixed = "SELECT 1 AS a, 1 AS b, NULL AS c UNION ALL SELECT 2.5, 'x', x'ff'"
    assert repoledger("query", mixed, "-o", "r.parquet", cwd=counted).returncode == 0
    found = pyarrow.parquet.read_table(counted / "r.parquet").to_pydict()
    assert found == {"a": [1.0, 2.5], "b": ["1", "x"], "c": [None, b"\xff"]}


def test_a_workbook_goes_through_a_pipe_and_not_to_a_terminal(counted: Path) -> None:
    for fmt, begin in (("xlsx", b"PK"), ("parquet", b"PAR1")):
        piped = subprocess.run(
            [*COMMAND, "repos", "--format", fmt],
            cwd=counted,
            env=environment(counted),
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert (piped.stdout[: len(begin)], piped.stderr) == (begin, b"")
        shown = on_terminal("repos", "--format", fmt, cwd=counted, columns=80)
        assert f"a terminal cannot show {fmt}: add --output FILE" in " ".join(shown.split())


def test_a_file_stays_if_the_command_fails(counted: Path) -> None:
    (counted / "r.csv").write_text("precious")
    done = repoledger("query", "SELECT nothing", "-o", "r.csv", cwd=counted)
    assert (done.returncode, (counted / "r.csv").read_text()) == (2, "precious")
