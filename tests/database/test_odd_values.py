"""Values of a user's query that a database holds and Python does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.inside.database import Ledger, migrate
from tests.support.servers import databases

ODD: dict[str, list[tuple[str, Any]]] = {
    "sqlite": [("CAST(x'61ff62' AS TEXT)", "a\N{REPLACEMENT CHARACTER}b"), ("9e999", float("inf"))],
    "postgresql": [
        ("timestamptz 'infinity'", "infinity"),
        ("timestamp '-infinity'", "-infinity"),
        ("timestamptz '12026-11-29 01:02:03+00'", "12026-11-29 01:02:03+00"),
        ("timestamp '0044-03-15 12:00 BC'", "0044-03-15 12:00:00 BC"),
        ("date 'infinity'", "infinity"),
        ("date '0044-03-15 BC'", "0044-03-15 BC"),
        ("time '24:00'", "24:00:00"),
        ("timetz '24:00+00'", "24:00:00+00"),
        ("interval '100000000 years'", "100000000 years"),
        ("interval '1 mon'", "1 mon"),
        ("interval '1 year 2 mons 3 days 04:05:06.7'", "1 year 2 mons 3 days 04:05:06.7"),
        ("interval '-1 day'", "-1 days"),
        ("ARRAY[interval '1 mon']", ["1 mon"]),
        ("ARRAY[date 'infinity', NULL]", ["infinity", None]),
        (f"'{'9' * 5000}'::jsonb", "9" * 5000),
    ],
    "mysql": [
        ("CAST('0000-00-00' AS DATE)", None),
        ("CAST('838:59:59' AS TIME)", "34 days, 22:59:59"),
    ],
}


@pytest.mark.parametrize("kind", ODD)
def test_a_query_gives_what_the_database_holds_also_where_python_has_no_such_value(
    tmp_path: Path, kind: str
) -> None:
    with databases(kind, tmp_path) as make:
        url = make()
        migrate.upgrade(url)
        with (
            Ledger(url) as ledger,
            ledger.query(f"SELECT {', '.join(sql for sql, _ in ODD[kind])}") as (_, found),
        ):
            (row,) = found
    shown = [value if isinstance(value, (list, float, type(None))) else str(value) for value in row]
    assert shown == [value for _, value in ODD[kind]]
