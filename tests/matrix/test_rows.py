"""The table of faults is whole: each row has a test, or says why it has none."""

from __future__ import annotations

import re

from tests.matrix.rows import ROWS, SECTIONS
from tests.support.process import PROJECT

_MARK = re.compile(r"""\bmatrix\(\s*((?:"[a-z0-9.-]+"(?:,\s*)?)+)\s*\)""")


def marked() -> set[str]:
    """Return the keys that tests are marked with, as their text says."""
    texts = [file.read_text(encoding="utf-8") for file in PROJECT.glob("tests/**/test_*.py")]
    return {
        key
        for text in texts
        for keys in _MARK.findall(text)
        for key in keys.replace('"', " ").replace(",", " ").split()
    }


def test_each_row_is_shown_by_a_test_or_says_why_not() -> None:
    keys = marked()
    assert [key for key, row in ROWS.items() if key not in keys and not row.untested] == []
    assert keys - ROWS.keys() == set()


def test_no_two_rows_have_one_key() -> None:
    assert len(ROWS) == sum(map(len, SECTIONS.values()))
