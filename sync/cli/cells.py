"""Values of a result as cells of CSV, which a spreadsheet may open."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sync.core.redaction import printable
from sync.database.figures import Figure

# Types of computed values, which are never formulas.
_FIGURES = (int, float, Decimal, timedelta, Figure)
# A spreadsheet takes a cell that begins like this for a formula. Some drop blanks before it,
# and some accept full-width characters.
_FORMULA = re.compile(r"[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def in_utc(value: datetime) -> datetime:
    """Return a time in UTC; MySQL returns UTC times without a zone."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CsvLines:
    """Ends lines with LF. The writer itself uses CR LF, so that it quotes both in cells."""

    def write(self, line: str) -> None:
        sys.stdout.write(line.removesuffix("\r\n") + "\n")


def csv_cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        return value
    if isinstance(value, datetime):
        return in_utc(value).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    items = value if isinstance(value, (list, tuple)) else [value]
    text = ",".join(map(str, items))
    is_figure = all(isinstance(item, _FIGURES) for item in items)
    return f"'{text}" if _FORMULA.match(text) and not is_figure else text


def shown_csv_cell(value: Any) -> Any:
    """Return a cell for a terminal, with control characters made visible."""
    cell = csv_cell(value)
    return printable(cell) if isinstance(cell, str) else cell
