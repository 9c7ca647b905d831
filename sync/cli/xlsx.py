"""Workbooks for Excel, written a row at a time."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO

from sync.cli.cells import in_utc
from sync.core.errors import ConfigError
from sync.core.extras import needed_for

# The limits of Excel.
_ROWS = 1_048_576
_COLUMNS = 16_384
_CHARACTERS = 32_767
_EXACT = 10**15  # a number has 15 digits; a larger one stays as it is only as a text
_FIRST_DAY = date(1900, 3, 1)  # Excel believes in a 29 February 1900

_TIME, _DAY = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
_WIDE = 19  # characters of a time; narrower, Excel shows ####


def require() -> None:
    """Raise ConfigError if the library that writes workbooks is missing."""
    with needed_for("a spreadsheet", "XlsxWriter"):
        import xlsxwriter  # noqa: F401


def write(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], stream: BinaryIO) -> None:
    """Write a workbook with one sheet: a header, and `columns` of each row.

    Texts are texts, whatever they begin with. Times are in UTC, which a sheet cannot say.
    Raises ConfigError for more rows or columns than a sheet has.
    """
    import xlsxwriter

    if len(columns) > _COLUMNS:
        raise ConfigError(f"a sheet of Excel has room for {_COLUMNS:,} columns: choose fewer")
    book = xlsxwriter.Workbook(stream, {"constant_memory": True, "nan_inf_to_errors": False})
    sheet = book.add_worksheet("repoledger")
    put = _Cells(sheet, {each: book.add_format({"num_format": each}) for each in (_TIME, _DAY)})
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.write_string(0, at, _valid(column)[:_CHARACTERS], bold)
    for number, row in enumerate(rows, 1):
        if number >= _ROWS:
            raise ConfigError(
                f"a sheet of Excel has room for {_ROWS - 1:,} rows and a header: ask for fewer, "
                "or choose csv or parquet"
            )
        for at, column in enumerate(columns):
            put.cell(number, at, row[column])
    for at in put.wide:
        sheet.set_column(at, at, _WIDE)
    book.close()
    if put.cut:
        print(
            f"warning: {put.cut:,} texts are cut: a cell of Excel has room for "
            f"{_CHARACTERS:,} characters",
            file=sys.stderr,
        )


class _Cells:
    """Writes values into a sheet, and counts the texts that had to be cut."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any]) -> None:
        self._sheet = sheet
        self._formats = formats
        self.wide: set[int] = set()
        self.cut = 0

    def cell(self, row: int, column: int, value: Any) -> None:
        value = as_cell(value)
        if value is None:
            return
        if isinstance(value, bool):
            self._sheet.write_boolean(row, column, value)
        elif isinstance(value, (int, float)):
            self._sheet.write_number(row, column, value)
        elif isinstance(value, date):
            form = _TIME if isinstance(value, datetime) else _DAY
            self._sheet.write_datetime(row, column, value, self._formats[form])
            self.wide.add(column)
        else:
            fitting = _fitting(value)
            self.cut += fitting is not value
            self._sheet.write_string(row, column, fitting)


def as_cell(value: Any) -> Any:
    """Return a value as one that a sheet can hold without a loss: a text, if it has no better."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < _EXACT:
        digits = len(value.as_tuple().digits)
        return (int(value) if value == int(value) else float(value)) if digits <= 15 else str(value)
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        moment = in_utc(value).replace(tzinfo=None)
        return moment if moment.date() >= _FIRST_DAY else f"{moment.isoformat()}Z"
    if isinstance(value, date):
        return value if value >= _FIRST_DAY else value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple)):
        return _valid(", ".join(map(str, value)))
    return _valid(str(value))


def _valid(text: str) -> str:
    """Return a text without what is no character, such as a path that is not UTF-8."""
    return text.encode(errors="backslashreplace").decode()


def _fitting(text: str) -> str:
    """Return a text, cut to what a cell has room for; Excel counts UTF-16."""
    if len(text) * 2 <= _CHARACTERS or len(text.encode("utf-16-le")) // 2 <= _CHARACTERS:
        return text
    cut = text.encode("utf-16-le")[: 2 * (_CHARACTERS - 1)].decode("utf-16-le", "ignore")
    return f"{cut}…"
