"""Formats of results, and which of them the ending of a file's name means."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import click


class Format(StrEnum):
    table = "table"
    json = "json"
    ndjson = "ndjson"
    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"


# Formats that are no text: a terminal cannot show them.
BINARY = frozenset((Format.xlsx, Format.parquet))
_TEXT = ".txt"
ENDINGS = {_TEXT: Format.table} | {f".{each}": each for each in Format if each is not Format.table}

F = TypeVar("F", bound=StrEnum)


def format_of(file: Path | None, wanted: F | None, endings: Mapping[str, F], default: F) -> F:
    """Return the format of a result: the one that is `wanted`, else that of the file's ending.

    `.txt` is a table, and any text that --format names. Raises BadParameter for an ending that
    means nothing or something else.
    """
    ending = file.suffix.lower() if file else ""
    meant = endings.get(ending)
    if file is None or (wanted is not None and meant in (None, wanted)):
        return wanted or default
    if meant is None:
        known = ", ".join(endings)
        what = f"the ending {ending}" if ending else "a name without an ending"
        raise click.BadParameter(
            f"{what} is of no known format: end it with one of {known}, or add --format",
            param_hint="--output",
        )
    if wanted is None:
        return meant
    if ending == _TEXT and str(wanted) not in BINARY:
        return wanted
    raise click.BadParameter(
        f"--format {wanted} contradicts the ending {ending}, which means {meant}",
        param_hint="--output",
    )
