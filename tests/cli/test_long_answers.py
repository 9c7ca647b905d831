"""An answer of any length is shown bit by bit: it need not fit into memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.process import repoledger
from tests.support.usage import Ended, measured

pytestmark = pytest.mark.slow

MIB = 1024 * 1024
DIGITS = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(10))
# 20,000 rows of 2 kB.
LONG = (
    f"WITH digits AS ({DIGITS}) SELECT '{'x' * 2_000}' AS x FROM digits AS a, digits AS b, "
    "digits AS c, digits AS d, (SELECT 1 AS n UNION ALL SELECT 2 AS n) AS e"
)


def query(folder: Path, url: str, sql: str, *more: str) -> Ended:
    """Run `repoledger query` on a ledger."""
    (folder / "config.toml").write_text(
        f'[database]\nurl = "{url}"\n[[accounts]]\nname = "me"\nusername = "octo"\n'
    )
    return measured("query", sql, *more, cwd=folder)


def test_a_query_needs_no_more_memory_for_many_rows_than_for_one(
    ledger_url: str, tmp_path: Path
) -> None:
    one = query(tmp_path, ledger_url, f"{LONG} LIMIT 1", "--format", "csv")
    many = query(tmp_path, ledger_url, LONG, "--format", "csv")
    assert (one.code, many.code) == (0, 0), one.shown + many.shown[-200:]
    assert many.shown.count("\n") == 1 + 20_000
    assert many.peak - one.peak < 16 * MIB


def test_a_long_table_is_not_held_as_a_whole(new_sqlite_ledger: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{new_sqlite_ledger}"
    one, many = query(tmp_path, url, f"{LONG} LIMIT 1"), query(tmp_path, url, LONG)
    assert (one.code, many.code) == (0, 0), one.shown + many.shown[-200:]
    assert many.shown.count("\n") == 2 + 20_000
    assert many.peak - one.peak < 16 * MIB


def test_a_long_table_has_one_header_and_becomes_wider_where_it_has_to(
    new_sqlite_ledger: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(
        f'[database]\nurl = "sqlite:///{new_sqlite_ledger}"\n'
        '[[accounts]]\nname = "me"\nusername = "octo"\n'
    )
    counting = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
    sql = f"{counting} SELECT i, 'of 12000' AS x FROM n"
    lines = repoledger("query", sql, cwd=tmp_path).stdout.splitlines()
    assert lines[0].split() == ["i", "x"]
    assert [line.split()[0] for line in lines[2:]] == [str(i) for i in range(1, 12_001)]
    assert len({len(line) for line in lines[2:1000]}) == 1
    assert len({len(line) for line in lines[11_500:]}) == 1
