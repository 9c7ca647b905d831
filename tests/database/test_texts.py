"""Texts arrive at a server as they are, whatever is in them and whatever its mode is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.inside.database import dialect_of
from tests.support.servers import databases

TEXTS = [
    "'",
    "\\",
    "\\'",
    "'; DROP TABLE repositories; -- ",
    '"',
    "`",
    "%s %(x)s :x %%",
    "\\0\\n\\Z\\%\\_",
    "".join(map(chr, range(0x100))),
    "\u2019\uff07\u02bc\N{GRINNING FACE}\uffff",
    "\N{MULTIPLICATION SIGN}\\'\"\0\n" * 100_000,
]


@pytest.fixture
def mysql_url(tmp_path: Path) -> Iterator[str]:
    with databases("mysql", tmp_path) as make:
        yield make()


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "PIPES_AS_CONCAT"])
def test_mysql_gets_every_text_as_it_is(mysql_url: str, mode: str) -> None:
    engine = dialect_of(mysql_url).writing_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql(f"SET SESSION sql_mode = '{mode}'")
        for sent in TEXTS:
            assert connection.execute(text("SELECT :sent"), {"sent": sent}).scalar_one() == sent
    engine.dispose()
